"""One example of each event: an invented case of a cold flat with an invented tenant, as it might be told."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha512
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.events import agency_inbox as inbox
from shared.events import agency_updates as updates
from shared.events import disclosures, intake, notifications, referrals, routing
from shared.events.event import Event
from shared.events.fields import (
    AddressFields,
    FieldGroup,
    LanguageFields,
    LocationFields,
    NarrativeFields,
    NeedFields,
    Released,
)
from shared.events.reasons import Reason

FILED: Final = datetime(2026, 1, 14, 7, 42, 5, tzinfo=UTC)
AGENCY: Final = "hpd"


def example_id(name: str) -> UUID:
    """Return the id that the examples use for this name."""
    return uuid5(NAMESPACE_URL, f"urn:handoff:example:{name}")


def examples() -> Iterator[Event]:
    """Tell one event of each kind."""
    yield from _cases()
    yield from _routing()
    yield from _referrals()
    yield from _disclosures()
    yield from _deliveries()
    yield from _inbox()
    yield from _inbox_on_sharing()
    yield from _updates()


CASE: Final = {"case_id": example_id("case")}
NEED: Final = {"need_id": example_id("need"), "need": "inadequate-housing"}
REFERRAL: Final = {"referral_id": example_id("referral")}
CONSENT: Final = {"consent_id": example_id("consent")}
RECEIPT: Final = example_id("receipt")
ACCESS: Final = {"access_id": example_id("access"), "ends_at": FILED + timedelta(hours=12)}
PURPOSE: Final = "service-delivery"


def _after(**passed: float) -> datetime:
    return FILED + timedelta(**passed)


def _sealed(group: FieldGroup) -> str:
    """Return what a sealed block looks like; it holds nothing."""
    return urlsafe_b64encode(b"\x01" + sha512(group.encode()).digest()).decode()


def _cases() -> Iterator[Event]:
    groups = (FieldGroup.ADDRESS, FieldGroup.IDENTITY, FieldGroup.CONTACT, FieldGroup.NARRATIVE)
    yield intake.CaseSubmitted(
        **CASE,
        service_request_id="26-00004217",
        service_code="heat-hot-water",
        needs=(intake.Need(**NEED),),
        place=intake.Place(cell="882a100d65fffff", district="manhattan"),
        urgency="urgent",
        language="es",
        origin=intake.Origin(channel="web"),
        submitted_at=FILED,
        person_id=example_id("person"),
        sealed={group: _sealed(group) for group in groups},
    )
    yield intake.CaseWithdrawn(**CASE, withdrawn_at=_after(hours=30))
    consent = {**CASE, **CONSENT}
    yield intake.ConsentGranted(
        **consent,
        occurred_at=_after(minutes=4),
        recipients=(AGENCY,),
        groups=(FieldGroup.HEALTH,),
        purpose=PURPOSE,
        ends_at=_after(days=90),
    )
    yield intake.ConsentWithdrawn(**consent, occurred_at=_after(days=3))
    yield intake.PersonErased(**CASE, person_id=example_id("person"), erased_at=_after(days=40))


def _routing() -> Iterator[Event]:
    filed = {**CASE, "submitted_at": FILED}
    routed = routing.RoutedNeed(**NEED, **REFERRAL, agency=AGENCY, program="heat-and-hot-water")
    yield routing.CaseRouted(**filed, routed=(routed,), routed_at=_after(seconds=1))
    yield routing.CaseUnroutable(**filed, **NEED, reason=Reason.CANDIDATES_EXHAUSTED, unroutable_at=_after(hours=9))
    yield routing.CaseResolved(**filed, resolution="completed", resolved_at=_after(hours=26))


def _referrals() -> Iterator[Event]:
    def told(**passed: float) -> dict[str, Any]:
        who = {"agency": AGENCY, "program": "heat-and-hot-water"}
        return {**CASE, **REFERRAL, **NEED, **who, "submitted_at": FILED, "occurred_at": _after(**passed)}

    answer_by = _after(hours=4)
    yield referrals.ReferralRequested(**told(seconds=1), answer_by=answer_by)
    yield referrals.ReferralAccepted(**told(hours=1))
    yield referrals.ReferralRejected(**told(hours=1), reason=Reason.NO_CAPACITY)
    yield referrals.ReferralStarted(**told(hours=3))
    yield referrals.ReferralHeld(**told(hours=5), reason=Reason.NO_ACCESS, agency_controls=False)
    yield referrals.ReferralResumed(**told(hours=22))
    yield referrals.ReferralCompleted(**told(hours=26))
    yield referrals.ReferralFailed(**told(hours=26), reason=Reason.UNABLE_TO_CONTACT)
    yield referrals.ReferralCancelled(**told(hours=30), reason=Reason.WITHDRAWN)
    yield referrals.ReferralOverdue(**told(hours=4), answer_by=answer_by)
    yield referrals.ReferralEscalated(**told(hours=8), answer_by=answer_by)
    yield referrals.ReferralTransferred(**told(hours=2), to_agency="dob", to_program="building-inspections")


def _disclosures() -> Iterator[Event]:
    about = {**CASE, **REFERRAL, "agency": AGENCY}
    yield disclosures.DisclosureMade(
        **about,
        groups=(FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.NARRATIVE),
        occurred_at=_after(seconds=1),
        receipt_id=RECEIPT,
        channel="event",
        purpose=PURPOSE,
        grounds=(disclosures.Ground(kind="agreement", id="front-door-hpd/inspections", version=1),),
    )
    recalled = {"groups": (FieldGroup.HEALTH,), "receipts": (RECEIPT,), "why": "consent-withdrawn"}
    yield disclosures.DisclosureRecalled(**about, **CONSENT, **recalled, occurred_at=_after(days=3))
    yield disclosures.EmergencyAccessOpened(
        **about, **ACCESS, groups=(FieldGroup.IDENTITY, FieldGroup.CONTACT), occurred_at=_after(hours=8)
    )


def _deliveries() -> Iterator[Event]:
    about = {
        **CASE,
        "delivery_id": example_id("delivery"),
        "template": "case-received",
        "occurred_at": _after(seconds=3),
    }
    yield notifications.NotificationSent(**about)
    yield notifications.NotificationFailed(**about, failure="refused")
    yield notifications.NotificationSuppressed(**about, why="no-address")


def _inbox() -> Iterator[Event]:
    def sent(**passed: float) -> dict[str, Any]:
        return {**CASE, **REFERRAL, "sent_at": _after(**passed)}

    yield inbox.HelpRequested(
        **sent(seconds=1),
        **NEED,
        program="heat-and-hot-water",
        submitted_at=FILED,
        answer_by=_after(hours=4),
        released=_released(),
        withheld=(FieldGroup.IDENTITY, FieldGroup.CONTACT),
    )
    yield inbox.HelpCancelled(**sent(hours=30), reason=Reason.WITHDRAWN)
    yield inbox.AnswerOverdue(**sent(hours=4), answer_by=_after(hours=4))
    yield inbox.UpdateRefused(
        **sent(hours=27),
        update_id=example_id("update"),
        update_type="referral.started.v1",
        state="completed",
        explanation="a referral that is completed cannot be started",
    )


def _inbox_on_sharing() -> Iterator[Event]:
    about = {**CASE, **REFERRAL}
    yield inbox.HelpAmended(
        **about,
        sent_at=_after(minutes=4),
        released=_released(),
        withheld=(FieldGroup.IDENTITY, FieldGroup.CONTACT),
        link=f"/partner/v1/referrals/{REFERRAL['referral_id']}",
        terms=(
            inbox.Terms(agreement="front-door-hpd", version=1, groups=(FieldGroup.NEED,), retain_days=365),
            inbox.Terms(agreement="housing-health", version=2, groups=(FieldGroup.HEALTH,), **CONSENT),
        ),
        receipt_id=RECEIPT,
    )
    recalled = {"groups": (FieldGroup.HEALTH,), "receipts": (RECEIPT,), "why": "consent-withdrawn"}
    yield inbox.DisclosureRecalled(**about, **CONSENT, **recalled, sent_at=_after(days=3))
    yield inbox.PersonErased(**about, sent_at=_after(days=40))
    yield inbox.EmergencyAccess(**about, **ACCESS, sent_at=_after(hours=8), agency="dohmh")


def _released() -> Released:
    return Released(
        need=NeedFields(service_code="heat-hot-water", need=str(NEED["need"]), urgency="urgent"),
        location=LocationFields(cell="882a100d65fffff", district="manhattan"),
        address=AddressFields(address="14 Juniper Street, 3B", postal_code="10011", lat=40.7412, long=-73.9991),
        narrative=NarrativeFields(
            description="The radiators have been cold since Monday.",
            attributes={"scope": ("building",), "missing": ("heat",)},
        ),
        language_access=LanguageFields(language="es"),
    )


def _updates() -> Iterator[Event]:
    def did(**passed: float) -> dict[str, Any]:
        return {**CASE, **REFERRAL, "occurred_at": _after(**passed)}

    yield updates.HelpAccepted(**did(hours=1))
    yield updates.HelpRejected(**did(hours=1), reason=Reason.NO_CAPACITY, explanation="All crews are out this week.")
    yield updates.HelpStarted(**did(hours=3))
    yield updates.HelpHeld(
        **did(hours=5), reason=Reason.NO_ACCESS, explanation="Nobody opened; we come again tomorrow."
    )
    yield updates.HelpResumed(**did(hours=22))
    yield updates.HelpCompleted(**did(hours=26))
    yield updates.HelpFailed(**did(hours=26), reason=Reason.UNABLE_TO_CONTACT, explanation="Three visits, no answer.")
    yield updates.HelpWithdrawn(
        **did(hours=2), reason=Reason.WRONG_AGENCY, explanation="The building is not residential."
    )
    yield updates.HelpTransferred(
        **did(hours=2),
        reason=Reason.WRONG_AGENCY,
        explanation="The boiler itself is unsafe.",
        to_agency="dob",
        to_program="building-inspections",
    )
