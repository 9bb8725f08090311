"""What of all that happens to a case its reporter should hear, and what the city's privacy office."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.events.disclosures import EmergencyAccessOpened
from shared.events.event import Event
from shared.events.intake import CaseSubmitted, ConsentGranted, ConsentWithdrawn
from shared.events.reasons import Reason
from shared.events.referrals import ReferralAccepted, ReferralHeld
from shared.events.routing import CaseResolved


class Recipient(StrEnum):
    """Who is told: whoever reported the case, or the office that answers for what the city does with personal data."""

    REPORTER = "reporter"
    PRIVACY_OFFICE = "privacy-office"


_DELIVERY_IDS = uuid5(NAMESPACE_URL, "urn:handoff:delivery")


class Template(StrEnum):
    """The mails there are; each has a text of this name for every language."""

    CASE_RECEIVED = "case-received"
    REFERRAL_ACCEPTED = "referral-accepted"
    NEEDS_MORE_TIME = "needs-more-time"
    CASE_RESOLVED = "case-resolved"
    CONSENT_GRANTED = "consent-granted"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    EMERGENCY_ACCESS = "emergency-access"
    EMERGENCY_REVIEW = "emergency-review"

    @property
    def recipient(self) -> Recipient:
        """Who gets this mail."""
        return Recipient.PRIVACY_OFFICE if self is Template.EMERGENCY_REVIEW else Recipient.REPORTER

    @property
    def is_about_sharing(self) -> bool:
        """Tell whether the mail shows that something is shared, or was to be kept from somebody."""
        return self in {Template.CONSENT_GRANTED, Template.CONSENT_WITHDRAWN, Template.EMERGENCY_ACCESS}


@dataclass(frozen=True, slots=True)
class News:
    """One thing to be told of a case.

    `occasion` is what it may be told of only once: two pieces of news of one case with the same template and
    occasion are the same news. `detail` picks the words: why the work waits, or how the case ended; else it is an id
    or a day that the mail names. Nobody is told before `not_before`.
    """

    case_id: UUID
    template: Template
    occasion: str
    cause: UUID
    happened_at: datetime
    agency: str | None = None
    detail: str | None = None
    traceparent: str | None = None
    not_before: datetime | None = None

    @property
    def delivery_id(self) -> UUID:
        """The same news always has the same id, so that hearing it again tells nobody again."""
        return uuid5(_DELIVERY_IDS, f"{self.cause}|{self.template}|{self.template.recipient}")


@dataclass(frozen=True, slots=True)
class _Told:
    """What one event makes worth telling."""

    template: Template
    occasion: str = ""
    agency: str | None = None
    detail: str | None = None
    not_before: datetime | None = None


def news_of(event: Event, cause: UUID, traceparent: str | None = None) -> list[News]:
    """Decide what of this event is told to whom: few mails, and never one about imported history.

    The reporter hears that the report was received, that the first agency took it up, that an agency waits for
    something it cannot change itself (once for each referral and reason), how it ended, that a consent of theirs was
    noted or taken back, and, once no agreement delays it any more, that somebody opened their report in an emergency.
    Of that the privacy office hears at once.
    """
    if getattr(event, "record_only", False):
        return []
    return [
        News(
            case_id=event.case_id,
            template=told.template,
            occasion=told.occasion,
            cause=cause,
            happened_at=event.happened_at,
            agency=told.agency,
            detail=told.detail,
            traceparent=traceparent,
            not_before=told.not_before,
        )
        for told in _told(event, cause)
    ]


def _told(event: Event, cause: UUID) -> tuple[_Told, ...]:
    match event:
        case CaseSubmitted(origin=origin) if origin.channel != "import":
            return (_Told(Template.CASE_RECEIVED),)
        case ReferralAccepted(agency=agency):
            return (_Told(Template.REFERRAL_ACCEPTED, agency=agency),)
        case ReferralHeld(agency_controls=False, agency=agency, reason=reason, referral_id=referral):
            return (_Told(Template.NEEDS_MORE_TIME, f"{referral}:{reason}", agency, _explained(reason)),)
        case CaseResolved(resolution=resolution):
            return (_Told(Template.CASE_RESOLVED, str(cause), detail=resolution),)
        case _:
            return _told_of_sharing(event)


def _told_of_sharing(event: Event) -> tuple[_Told, ...]:
    match event:
        case ConsentGranted(consent_id=consent, ends_at=ends_at):
            return (_Told(Template.CONSENT_GRANTED, str(consent), detail=f"{ends_at:%Y-%m-%d}"),)
        case ConsentWithdrawn(consent_id=consent):
            return (_Told(Template.CONSENT_WITHDRAWN, str(consent)),)
        case EmergencyAccessOpened(access_id=access, shown_from=shown_from):
            office = _Told(Template.EMERGENCY_REVIEW, str(access), detail=str(access))
            return office, _Told(Template.EMERGENCY_ACCESS, str(access), not_before=shown_from)
        case _:
            return ()


def _explained(reason: Reason) -> str:
    """Name the reason if a person can do something about it, or understand it; else `other`."""
    known = (Reason.NO_ACCESS, Reason.UNABLE_TO_CONTACT, Reason.WAITING_FOR_PERSON, Reason.WAITING_FOR_WEATHER)
    return reason.value if reason in known else Reason.OTHER.value
