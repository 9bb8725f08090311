"""Why something was rejected, held, failed, cancelled or refused: codes that everybody counts alike."""

from enum import StrEnum


class Reason(StrEnum):
    """Reason codes; the first words of each agency's own text stay with the agency and routing."""

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
"""Reasons for a hold that an agency cannot end by itself: such time is subtracted from its clocks (and shown)."""
