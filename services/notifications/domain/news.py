"""What of all that happens to a case its reporter should hear."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.events.event import Event
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from shared.events.referrals import ReferralAccepted, ReferralHeld
from shared.events.routing import CaseResolved

RECIPIENT = "reporter"
"""Who is told: for now, whoever reported the case."""

_DELIVERY_IDS = uuid5(NAMESPACE_URL, "urn:handoff:delivery")


class Template(StrEnum):
    """The mails there are; each has a text of this name for every language."""

    CASE_RECEIVED = "case-received"
    REFERRAL_ACCEPTED = "referral-accepted"
    NEEDS_MORE_TIME = "needs-more-time"
    CASE_RESOLVED = "case-resolved"


@dataclass(frozen=True, slots=True)
class News:
    """One thing to be told of a case.

    `occasion` is what it may be told of only once: two pieces of news of one case with the same template and
    occasion are the same news. `detail` picks the words: why the work waits, or how the case ended.
    """

    case_id: UUID
    template: Template
    occasion: str
    cause: UUID
    happened_at: datetime
    agency: str | None = None
    detail: str | None = None
    traceparent: str | None = None

    @property
    def delivery_id(self) -> UUID:
        """The same news always has the same id, so that hearing it again tells nobody again."""
        return uuid5(_DELIVERY_IDS, f"{self.cause}|{self.template}|{RECIPIENT}")


def news_of(event: Event, cause: UUID, traceparent: str | None = None) -> News | None:
    """Decide what of this event the reporter should hear: few mails, and never one about imported history.

    They hear that the report was received, that the first agency took it up, that an agency waits for something
    it cannot change itself (once for each referral and reason), and how it ended.
    """
    if getattr(event, "record_only", False):
        return None
    told = _told(event, cause)
    if told is None:
        return None
    template, occasion, agency, detail = told
    return News(event.case_id, template, occasion, cause, event.happened_at, agency, detail, traceparent)


def _told(event: Event, cause: UUID) -> tuple[Template, str, str | None, str | None] | None:
    """Return template, occasion, agency and detail."""
    match event:
        case CaseSubmitted(origin=origin) if origin.channel != "import":
            return Template.CASE_RECEIVED, "", None, None
        case ReferralAccepted(agency=agency):
            return Template.REFERRAL_ACCEPTED, "", agency, None
        case ReferralHeld(agency_controls=False, agency=agency, reason=reason, referral_id=referral):
            return Template.NEEDS_MORE_TIME, f"{referral}:{reason}", agency, _explained(reason)
        case CaseResolved(resolution=resolution):
            return Template.CASE_RESOLVED, str(cause), None, resolution
        case _:
            return None


def _explained(reason: Reason) -> str:
    """Name the reason if a person can do something about it, or understand it; else `other`."""
    known = (Reason.NO_ACCESS, Reason.UNABLE_TO_CONTACT, Reason.WAITING_FOR_PERSON, Reason.WAITING_FOR_WEATHER)
    return reason.value if reason in known else Reason.OTHER.value
