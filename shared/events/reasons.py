"""Reason codes for rejected, held, failed, cancelled and refused referrals, counted the same way everywhere."""

from enum import StrEnum


class Reason(StrEnum):
    """Reason codes; the explanation text of an agency stays with the agency and routing."""

    NO_CAPACITY = "no-capacity"
    NOT_ELIGIBLE = "not-eligible"
    OUT_OF_AREA = "out-of-area"
    WRONG_AGENCY = "wrong-agency"
    DUPLICATE = "duplicate"
    INSUFFICIENT_INFORMATION = "insufficient-information"
    NO_ACCESS = "no-access"
    UNABLE_TO_CONTACT = "unable-to-contact"
    WAITING_FOR_PERSON = "waiting-for-person"
    WAITING_FOR_PARTS = "waiting-for-parts"
    WAITING_FOR_WEATHER = "waiting-for-weather"
    WITHDRAWN = "withdrawn"
    NO_ANSWER = "no-answer"
    NO_PROGRAM = "no-program"
    CANDIDATES_EXHAUSTED = "candidates-exhausted"
    TRANSFERRED = "transferred"
    OTHER = "other"


OUTSIDE_AGENCY_CONTROL = frozenset(
    {Reason.NO_ACCESS, Reason.UNABLE_TO_CONTACT, Reason.WAITING_FOR_PERSON, Reason.WAITING_FOR_WEATHER}
)
"""Reasons for a hold that the agency cannot end itself; clocks subtract that time and show it."""
