"""Which events lead to a notification, and for whom: the reporter of the case, or the city's privacy office."""

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

_DELIVERY_IDS = uuid5(NAMESPACE_URL, "urn:handoff:delivery")


class Recipient(StrEnum):
    """Who is notified."""

    REPORTER = "reporter"
    """The person who reported the case."""

    PRIVACY_OFFICE = "privacy-office"
    """The office that is responsible for what the city does with personal data."""


class Template(StrEnum):
    """The mails that the service sends; each language of a city has a text for each of them."""

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
        """Tell whether the mail reveals that an agency gets data, or was to get none."""
        return self in {Template.CONSENT_GRANTED, Template.CONSENT_WITHDRAWN, Template.EMERGENCY_ACCESS}


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that a recipient is notified of."""

    case_id: UUID
    template: Template

    occasion: str
    """Notifications of one case with the same template and occasion are the same: one of them is sent."""

    cause: UUID
    """The id of the event."""

    happened_at: datetime
    agency: str | None = None

    detail: str | None = None
    """What the template needs: the reason of a hold, the resolution of a case, an id, or a date."""

    traceparent: str | None = None

    not_before: datetime | None = None
    """The end of the embargo; no mail is sent before it."""

    @property
    def delivery_id(self) -> UUID:
        """The id of the delivery, derived from the event: an event that arrives again leads to no second mail."""
        return uuid5(_DELIVERY_IDS, f"{self.cause}|{self.template}|{self.template.recipient}")


@dataclass(frozen=True, slots=True)
class _Draft:
    """The fields of a notification that depend on the type of its event."""

    template: Template
    occasion: str = ""
    agency: str | None = None
    detail: str | None = None
    not_before: datetime | None = None


def notifications_of(event: Event, cause: UUID, traceparent: str | None = None) -> list[Notification]:
    """Return the notifications that an event leads to. They are few, and none is about imported history.

    The reporter is notified that the report was received; that the first agency accepted it; that an agency waits for
    something that it does not control (once for each referral and reason); how the case ended; that a consent was
    granted or withdrawn; and, when no embargo delays it, that a caseworker opened the report in an emergency. The
    privacy office is notified of an emergency access immediately.
    """
    if getattr(event, "record_only", False):
        return []
    return [
        Notification(
            case_id=event.case_id,
            template=draft.template,
            occasion=draft.occasion,
            cause=cause,
            happened_at=event.happened_at,
            agency=draft.agency,
            detail=draft.detail,
            traceparent=traceparent,
            not_before=draft.not_before,
        )
        for draft in _drafts(event, cause)
    ]


def _drafts(event: Event, cause: UUID) -> tuple[_Draft, ...]:
    match event:
        case CaseSubmitted(origin=origin) if origin.channel != "import":
            return (_Draft(Template.CASE_RECEIVED),)
        case ReferralAccepted(agency=agency):
            return (_Draft(Template.REFERRAL_ACCEPTED, agency=agency),)
        case ReferralHeld(agency_controls=False, agency=agency, reason=reason, referral_id=referral):
            return (_Draft(Template.NEEDS_MORE_TIME, f"{referral}:{reason}", agency, _explained(reason)),)
        case CaseResolved(resolution=resolution):
            # A reopened case is resolved again, which is another notification: the occasion is the event.
            return (_Draft(Template.CASE_RESOLVED, str(cause), detail=resolution),)
        case _:
            return _sharing_drafts(event)


def _sharing_drafts(event: Event) -> tuple[_Draft, ...]:
    match event:
        case ConsentGranted(consent_id=consent, ends_at=ends_at):
            return (_Draft(Template.CONSENT_GRANTED, str(consent), detail=f"{ends_at:%Y-%m-%d}"),)
        case ConsentWithdrawn(consent_id=consent):
            return (_Draft(Template.CONSENT_WITHDRAWN, str(consent)),)
        case EmergencyAccessOpened(access_id=access, shown_from=shown_from):
            review = _Draft(Template.EMERGENCY_REVIEW, str(access), detail=str(access))
            return review, _Draft(Template.EMERGENCY_ACCESS, str(access), not_before=shown_from)
        case _:
            return ()


def _explained(reason: Reason) -> str:
    """Return the reason if the templates explain it, because a person can act on it or understand it; else `other`."""
    explained = (Reason.NO_ACCESS, Reason.UNABLE_TO_CONTACT, Reason.WAITING_FOR_PERSON, Reason.WAITING_FOR_WEATHER)
    return reason.value if reason in explained else Reason.OTHER.value
