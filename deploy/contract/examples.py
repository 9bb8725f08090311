"""One example of each event: an invented case of a cold flat with an invented tenant, as it might be told."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from hashlib import sha512
from typing import Any

from deploy.contract.invented import AGENCY, CASE, FILED, NEED, REFERRAL, after, example_id, released
from deploy.contract.sharing_examples import sharing_examples
from shared.events import agency_inbox as inbox
from shared.events import agency_updates as updates
from shared.events import intake, notifications, referrals, routing
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.reasons import Reason


def examples() -> Iterator[Event]:
    """Tell one event of each kind."""
    yield from _cases()
    yield from _routing()
    yield from _referrals()
    yield from _deliveries()
    yield from _inbox()
    yield from _updates()
    yield from sharing_examples()


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
    yield intake.CaseWithdrawn(**CASE, withdrawn_at=after(hours=30))


def _routing() -> Iterator[Event]:
    filed = {**CASE, "submitted_at": FILED}
    routed = routing.RoutedNeed(**NEED, **REFERRAL, agency=AGENCY, program="heat-and-hot-water")
    yield routing.CaseRouted(**filed, routed=(routed,), routed_at=after(seconds=1))
    yield routing.CaseUnroutable(**filed, **NEED, reason=Reason.CANDIDATES_EXHAUSTED, unroutable_at=after(hours=9))
    yield routing.CaseResolved(**filed, resolution="completed", resolved_at=after(hours=26))


def _referrals() -> Iterator[Event]:
    def told(**passed: float) -> dict[str, Any]:
        who = {"agency": AGENCY, "program": "heat-and-hot-water"}
        return {**CASE, **REFERRAL, **NEED, **who, "submitted_at": FILED, "occurred_at": after(**passed)}

    answer_by = after(hours=4)
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
    def sent(**passed: float) -> dict[str, Any]:
        return {**CASE, **REFERRAL, "sent_at": after(**passed)}

    yield inbox.ReferralRequested(
        **sent(seconds=1),
        **NEED,
        program="heat-and-hot-water",
        submitted_at=FILED,
        answer_by=after(hours=4),
        released=released(),
        withheld=(FieldGroup.IDENTITY, FieldGroup.CONTACT),
    )
    yield inbox.ReferralCancelled(**sent(hours=30), reason=Reason.WITHDRAWN)
    yield inbox.ReferralOverdue(**sent(hours=4), answer_by=after(hours=4))
    yield inbox.UpdateRefused(
        **sent(hours=27),
        update_id=example_id("update"),
        update_type="referral.started.v1",
        state="completed",
        explanation="a referral that is completed cannot be started",
    )


def _updates() -> Iterator[Event]:
    def did(**passed: float) -> dict[str, Any]:
        return {**CASE, **REFERRAL, "occurred_at": after(**passed)}

    yield updates.ReferralAccepted(**did(hours=1))
    yield updates.ReferralRejected(
        **did(hours=1), reason=Reason.NO_CAPACITY, explanation="All crews are out this week."
    )
    yield updates.ReferralStarted(**did(hours=3))
    yield updates.ReferralHeld(
        **did(hours=5), reason=Reason.NO_ACCESS, explanation="Nobody opened; we come again tomorrow."
    )
    yield updates.ReferralResumed(**did(hours=22))
    yield updates.ReferralCompleted(**did(hours=26))
    yield updates.ReferralFailed(
        **did(hours=26), reason=Reason.UNABLE_TO_CONTACT, explanation="Three visits, no answer."
    )
    yield updates.ReferralCancelled(
        **did(hours=2), reason=Reason.WRONG_AGENCY, explanation="The building is not residential."
    )
    yield updates.ReferralTransferred(
        **did(hours=2),
        reason=Reason.WRONG_AGENCY,
        explanation="The boiler itself is unsafe.",
        to_agency="dob",
        to_program="building-inspections",
    )
