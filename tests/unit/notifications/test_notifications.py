"""A reporter gets few mails, each notification once, and none about imported history."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.notifications import Recipient, Template, notifications_of
from services.notifications.domain.reporters import reporter_of
from shared.events.disclosures import EmergencyAccessOpened
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import (
    CaseSubmitted,
    CaseWithdrawn,
    Channel,
    ConsentGranted,
    ConsentWithdrawn,
    Need,
    Origin,
    PersonErased,
    Place,
)
from shared.events.reasons import OUTSIDE_AGENCY_CONTROL, Reason
from shared.events.referrals import (
    ReferralAccepted,
    ReferralCompleted,
    ReferralHeld,
    ReferralRejected,
    ReferralRequested,
    ReferralStarted,
)
from shared.events.routing import CaseResolved, CaseRouted

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CASE = UUID(int=7)


def submitted(channel: Channel = "web") -> CaseSubmitted:
    return CaseSubmitted(
        case_id=CASE,
        service_request_id="SR-1",
        service_code="heat-hot-water",
        needs=(Need(need_id=uuid4(), need="inadequate-housing"),),
        place=Place(),
        language="es",
        origin=Origin(channel=channel),
        submitted_at=NOW,
        person_id=UUID(int=8),
        sealed={FieldGroup.CONTACT: "block", FieldGroup.NARRATIVE: "content"},
    )


def about_referral(record_only: bool = False, referral: int = 1) -> dict[str, object]:  # noqa: FBT001, FBT002 - a short builder
    return {
        "case_id": CASE,
        "referral_id": UUID(int=referral),
        "need_id": UUID(int=3),
        "need": "inadequate-housing",
        "agency": "hpd",
        "program": "heat-and-hot-water",
        "submitted_at": NOW,
        "occurred_at": NOW,
        "record_only": record_only,
    }


def held(reason: Reason, referral: int = 1, *, record_only: bool = False) -> ReferralHeld:
    outside = reason in OUTSIDE_AGENCY_CONTROL
    about = about_referral(record_only, referral)
    return ReferralHeld.model_validate(about | {"reason": reason, "agency_controls": not outside})


def resolved(how: str, *, record_only: bool = False) -> CaseResolved:
    about = {"case_id": CASE, "submitted_at": NOW, "resolved_at": NOW, "record_only": record_only}
    return CaseResolved.model_validate(about | {"resolution": how})


def test_a_report_is_confirmed() -> None:
    [notification] = notifications_of(submitted(), uuid4())
    assert notification.template is Template.CASE_RECEIVED


def test_the_mail_about_an_acceptance_names_the_agency() -> None:
    [notification] = notifications_of(ReferralAccepted.model_validate(about_referral()), uuid4())
    assert (notification.template, notification.agency) == (Template.REFERRAL_ACCEPTED, "hpd")


def test_a_second_acceptance_of_a_case_is_the_same_notification() -> None:
    [first] = notifications_of(ReferralAccepted.model_validate(about_referral(referral=1)), uuid4())
    [second] = notifications_of(ReferralAccepted.model_validate(about_referral(referral=2)), uuid4())
    assert (first.template, first.occasion) == (second.template, second.occasion)


@pytest.mark.parametrize("reason", sorted(OUTSIDE_AGENCY_CONTROL))
def test_a_hold_that_the_agency_does_not_control_leads_to_a_mail_with_its_reason(reason: Reason) -> None:
    [notification] = notifications_of(held(reason), uuid4())
    assert (notification.template, notification.detail) == (Template.NEEDS_MORE_TIME, reason.value)


def test_a_hold_that_the_agency_controls_leads_to_no_mail() -> None:
    assert notifications_of(held(Reason.WAITING_FOR_PARTS), uuid4()) == []


def test_each_reason_of_each_referral_is_one_occasion() -> None:
    events = [
        held(Reason.NO_ACCESS),
        held(Reason.NO_ACCESS),
        held(Reason.WAITING_FOR_PERSON),
        held(Reason.NO_ACCESS, 2),
    ]
    occasions = {notification.occasion for event in events for notification in notifications_of(event, uuid4())}
    assert len(occasions) == 3


@pytest.mark.parametrize("how", ["completed", "not-completed", "withdrawn"])
def test_the_mail_about_the_end_of_a_case_has_its_resolution(how: str) -> None:
    [notification] = notifications_of(resolved(how), uuid4())
    assert (notification.template, notification.detail) == (Template.CASE_RESOLVED, how)


def test_imported_history_leads_to_no_mail() -> None:
    history: list[Event] = [
        submitted("import"),
        ReferralAccepted.model_validate(about_referral(record_only=True)),
        held(Reason.NO_ACCESS, record_only=True),
        resolved("completed", record_only=True),
    ]
    assert [notifications_of(event, uuid4()) for event in history] == [[]] * 4


def test_an_event_that_changes_nothing_for_the_reporter_leads_to_no_mail() -> None:
    about = about_referral()
    quiet: list[Event] = [
        CaseWithdrawn(case_id=CASE, withdrawn_at=NOW),
        CaseRouted(case_id=CASE, submitted_at=NOW, routed_at=NOW),
        ReferralRequested.model_validate(about),
        ReferralStarted.model_validate(about),
        ReferralCompleted.model_validate(about),
        ReferralRejected.model_validate(about | {"reason": Reason.NO_CAPACITY}),
    ]
    assert [notifications_of(event, uuid4()) for event in quiet] == [[]] * 6


def opened(shown_from: datetime | None = None) -> EmergencyAccessOpened:
    return EmergencyAccessOpened(
        case_id=CASE,
        access_id=UUID(int=5),
        referral_id=UUID(int=1),
        agency="hra",
        groups=(FieldGroup.HEALTH,),
        occurred_at=NOW,
        ends_at=NOW + timedelta(hours=4),
        shown_from=shown_from,
    )


def test_an_emergency_access_leads_to_a_mail_to_the_privacy_office_and_to_the_reporter() -> None:
    review, reporter = notifications_of(opened(), uuid4())
    assert (review.template, review.template.recipient) == (Template.EMERGENCY_REVIEW, Recipient.PRIVACY_OFFICE)
    assert (reporter.template, reporter.template.recipient) == (Template.EMERGENCY_ACCESS, Recipient.REPORTER)
    assert review.delivery_id != reporter.delivery_id


def test_an_embargo_holds_for_the_reporter_and_not_for_the_privacy_office() -> None:
    later = NOW + timedelta(days=7)
    assert [notification.not_before for notification in notifications_of(opened(later), uuid4())] == [None, later]


def test_the_mails_about_an_access_name_neither_agency_nor_groups() -> None:
    text = repr(notifications_of(opened(), uuid4()))
    assert not {word for word in ("hra", "health") if word in text}


def test_each_consent_and_its_withdrawal_is_confirmed_without_saying_for_whom() -> None:
    about = {"case_id": CASE, "consent_id": UUID(int=6), "occurred_at": NOW}
    what = {"recipients": ["hra"], "groups": ["health"], "purpose": "service-delivery", "ends_at": NOW}
    [given] = notifications_of(ConsentGranted.model_validate(about | what), uuid4())
    [taken] = notifications_of(ConsentWithdrawn.model_validate(about), uuid4())
    assert (given.template, given.detail) == (Template.CONSENT_GRANTED, "2026-03-02")
    assert (taken.template, taken.detail) == (Template.CONSENT_WITHDRAWN, None)
    assert given.occasion == taken.occasion == str(UUID(int=6))
    assert "hra" not in repr(given)


def test_an_erasure_leads_to_no_mail() -> None:
    assert notifications_of(PersonErased(case_id=CASE, person_id=UUID(int=8), erased_at=NOW), uuid4()) == []


@given(st.uuids(), st.uuids())
def test_a_delivery_has_the_same_id_if_and_only_if_it_has_the_same_cause(one: UUID, other: UUID) -> None:
    [first], [again], [second] = (notifications_of(submitted(), cause) for cause in (one, one, other))
    assert first.delivery_id == again.delivery_id
    assert (first.delivery_id == second.delivery_id) == (one == other)


def test_of_a_report_only_the_sealed_contact_is_stored() -> None:
    kept = reporter_of(submitted())
    assert (kept.contact, kept.language, kept.imported) == ("block", "es", False)
    assert "content" not in repr(kept)


def test_of_an_imported_report_not_even_the_sealed_contact_is_stored() -> None:
    kept = reporter_of(submitted("import"))
    assert (kept.contact, kept.person_id, kept.imported) == (None, None, True)
