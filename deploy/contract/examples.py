"""One example of each event, all from one invented case: a tenant reports a flat without heating."""

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


def after(**passed: float) -> datetime:
    """Return the time that long after the report; `passed` are the arguments of a timedelta."""
    return FILED + timedelta(**passed)


CASE: Final = {"case_id": example_id("case")}
NEED: Final = {"need_id": example_id("need"), "need": "inadequate-housing"}
REFERRAL: Final = {"referral_id": example_id("referral")}


def released() -> Released:
    """Return the data that the agency receives."""
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


def examples() -> Iterator[Event]:
    """Yield one event of each type."""
    yield from _cases()
    yield from _routing()
    yield from _referrals()
    yield from _deliveries()
    yield from _inbox()
    yield from _updates()
    yield from sharing_examples()


def _sealed(group: FieldGroup) -> str:
    """Return a text that looks like a sealed block, and is none."""
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
    yield intake.CaseWithdrawn(**CASE, withdrawn_at=after(hours=30))


def _routing() -> Iterator[Event]:
    filed = {**CASE, "submitted_at": FILED}
    routed = routing.RoutedNeed(**NEED, **REFERRAL, agency=AGENCY, program="heat-and-hot-water")
    yield routing.CaseRouted(**filed, routed=(routed,), routed_at=after(seconds=1))
    yield routing.CaseUnroutable(**filed, **NEED, reason=Reason.CANDIDATES_EXHAUSTED, unroutable_at=after(hours=9))
    yield routing.CaseResolved(**filed, resolution="completed", resolved_at=after(hours=26))


def _referrals() -> Iterator[Event]:
    def fields(**passed: float) -> dict[str, Any]:
        who = {"agency": AGENCY, "program": "heat-and-hot-water"}
        return {**CASE, **REFERRAL, **NEED, **who, "submitted_at": FILED, "occurred_at": after(**passed)}

    answer_by = after(hours=4)
    yield referrals.ReferralRequested(**fields(seconds=1), answer_by=answer_by)
    yield referrals.ReferralAccepted(**fields(hours=1))
    yield referrals.ReferralRejected(**fields(hours=1), reason=Reason.NO_CAPACITY)
    yield referrals.ReferralStarted(**fields(hours=3))
    yield referrals.ReferralHeld(**fields(hours=5), reason=Reason.NO_ACCESS, agency_controls=False)
    yield referrals.ReferralResumed(**fields(hours=22))
    yield referrals.ReferralCompleted(**fields(hours=26))
    yield referrals.ReferralFailed(**fields(hours=26), reason=Reason.UNABLE_TO_CONTACT)
    yield referrals.ReferralCancelled(**fields(hours=30), reason=Reason.WITHDRAWN)
    yield referrals.ReferralOverdue(**fields(hours=4), answer_by=answer_by)
    yield referrals.ReferralEscalated(**fields(hours=8), answer_by=answer_by)
    yield referrals.ReferralTransferred(**fields(hours=2), to_agency="dob", to_program="building-inspections")


def _deliveries() -> Iterator[Event]:
    about = {
        **CASE,
        "delivery_id": example_id("delivery"),
        "template": "case-received",
        "occurred_at": after(seconds=3),
    }
    yield notifications.NotificationSent(**about)
    yield notifications.NotificationFailed(**about, failure="refused")
    yield notifications.NotificationSuppressed(**about, why="no-address")


def _inbox() -> Iterator[Event]:
    def fields(**passed: float) -> dict[str, Any]:
        return {**CASE, **REFERRAL, "sent_at": after(**passed)}

    yield inbox.ReferralRequested(
        **fields(seconds=1),
        **NEED,
        program="heat-and-hot-water",
        submitted_at=FILED,
        answer_by=after(hours=4),
        released=released(),
        withheld=(FieldGroup.IDENTITY, FieldGroup.CONTACT),
    )
    yield inbox.ReferralCancelled(**fields(hours=30), reason=Reason.WITHDRAWN)
    yield inbox.ReferralOverdue(**fields(hours=4), answer_by=after(hours=4))
    yield inbox.UpdateRefused(
        **fields(hours=27),
        update_id=example_id("update"),
        update_type="referral.started.v1",
        state="completed",
        explanation="a referral that is completed cannot be started",
    )


def _updates() -> Iterator[Event]:
    def fields(**passed: float) -> dict[str, Any]:
        return {**CASE, **REFERRAL, "occurred_at": after(**passed)}

    yield updates.ReferralAccepted(**fields(hours=1))
    yield updates.ReferralRejected(
        **fields(hours=1), reason=Reason.NO_CAPACITY, explanation="All crews are out this week."
    )
    yield updates.ReferralStarted(**fields(hours=3))
    yield updates.ReferralHeld(
        **fields(hours=5), reason=Reason.NO_ACCESS, explanation="Nobody opened; we come again tomorrow."
    )
    yield updates.ReferralResumed(**fields(hours=22))
    yield updates.ReferralCompleted(**fields(hours=26))
    yield updates.ReferralFailed(
        **fields(hours=26), reason=Reason.UNABLE_TO_CONTACT, explanation="Three visits, no answer."
    )
    yield updates.ReferralCancelled(
        **fields(hours=2), reason=Reason.WRONG_AGENCY, explanation="The building is not residential."
    )
    yield updates.ReferralTransferred(
        **fields(hours=2),
        reason=Reason.WRONG_AGENCY,
        explanation="The boiler itself is unsafe.",
        to_agency="dob",
        to_program="building-inspections",
    )


CONSENT: Final = {"consent_id": example_id("consent")}
RECEIPT: Final = example_id("receipt")
ACCESS: Final = {"access_id": example_id("access"), "ends_at": after(hours=12)}
PURPOSE: Final = "service-delivery"


def sharing_examples() -> Iterator[Event]:
    """Yield one event of each type about consents, disclosures, recalls, emergency access and erasure."""
    yield from _consents()
    yield from _disclosures()
    yield from _sharing_inbox()


def _consents() -> Iterator[Event]:
    consent = {**CASE, **CONSENT}
    yield intake.ConsentGranted(
        **consent,
        occurred_at=after(minutes=4),
        recipients=(AGENCY,),
        groups=(FieldGroup.HEALTH,),
        purpose=PURPOSE,
        ends_at=after(days=90),
    )
    yield intake.ConsentWithdrawn(**consent, occurred_at=after(days=3))
    yield intake.PersonErased(**CASE, person_id=example_id("person"), erased_at=after(days=40))


def _disclosures() -> Iterator[Event]:
    about = {**CASE, **REFERRAL, "agency": AGENCY}
    yield disclosures.DisclosureMade(
        **about,
        groups=(FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.NARRATIVE),
        occurred_at=after(seconds=1),
        receipt_id=RECEIPT,
        channel="event",
        purpose=PURPOSE,
        grounds=(disclosures.Ground(kind="agreement", id="front-door-hpd/inspections", version=1),),
    )
    recalled = {"groups": (FieldGroup.HEALTH,), "receipts": (RECEIPT,), "why": "consent-withdrawn"}
    yield disclosures.DisclosureRecalled(**about, **CONSENT, **recalled, occurred_at=after(days=3))
    yield disclosures.EmergencyAccessOpened(
        **about, **ACCESS, groups=(FieldGroup.IDENTITY, FieldGroup.CONTACT), occurred_at=after(hours=8)
    )


def _sharing_inbox() -> Iterator[Event]:
    about = {**CASE, **REFERRAL}
    yield inbox.ReferralAmended(
        **about,
        sent_at=after(minutes=4),
        released=released(),
        withheld=(FieldGroup.IDENTITY, FieldGroup.CONTACT),
        link=f"/partner/v1/referrals/{REFERRAL['referral_id']}",
        terms=(
            inbox.Terms(agreement="front-door-hpd", version=1, groups=(FieldGroup.NEED,), retain_days=365),
            inbox.Terms(agreement="housing-health", version=2, groups=(FieldGroup.HEALTH,), **CONSENT),
        ),
        receipt_id=RECEIPT,
    )
    recalled = {"groups": (FieldGroup.HEALTH,), "receipts": (RECEIPT,), "why": "consent-withdrawn"}
    yield inbox.DisclosureRecalled(**about, **CONSENT, **recalled, sent_at=after(days=3))
    yield inbox.PersonErased(**about, sent_at=after(days=40))
    yield inbox.EmergencyAccess(**about, **ACCESS, sent_at=after(hours=8), agency="dohmh")
