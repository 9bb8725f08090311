"""What a reporter hears of: few mails, each piece of news once, nothing of imported history."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.news import Template, news_of
from services.notifications.domain.reporters import reporter_of
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, CaseWithdrawn, Channel, Need, Origin, Place
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
        sealed={FieldGroup.CONTACT: "block", FieldGroup.NARRATIVE: "words"},
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
    news = news_of(submitted(), uuid4())
    assert news is not None
    assert news.template is Template.CASE_RECEIVED


def test_an_acceptance_is_told_with_the_agency() -> None:
    news = news_of(ReferralAccepted.model_validate(about_referral()), uuid4())
    assert news is not None
    assert (news.template, news.agency) == (Template.REFERRAL_ACCEPTED, "hpd")


def test_a_second_acceptance_of_a_case_is_the_same_news() -> None:
    first = news_of(ReferralAccepted.model_validate(about_referral(referral=1)), uuid4())
    second = news_of(ReferralAccepted.model_validate(about_referral(referral=2)), uuid4())
    assert first is not None
    assert second is not None
    assert (first.template, first.occasion) == (second.template, second.occasion)


@pytest.mark.parametrize("reason", sorted(OUTSIDE_AGENCY_CONTROL))
def test_a_wait_that_the_agency_cannot_end_is_told_with_its_reason(reason: Reason) -> None:
    news = news_of(held(reason), uuid4())
    assert news is not None
    assert (news.template, news.detail) == (Template.NEEDS_MORE_TIME, reason.value)


def test_a_wait_that_the_agency_can_end_is_not_told() -> None:
    assert news_of(held(Reason.WAITING_FOR_PARTS), uuid4()) is None


def test_each_reason_of_each_referral_is_told_once() -> None:
    heard = [held(Reason.NO_ACCESS), held(Reason.NO_ACCESS), held(Reason.WAITING_FOR_PERSON), held(Reason.NO_ACCESS, 2)]
    told = {news.occasion for event in heard if (news := news_of(event, uuid4()))}
    assert len(told) == 3


@pytest.mark.parametrize("how", ["completed", "not-completed", "withdrawn"])
def test_the_end_of_a_case_is_told_with_how_it_ended(how: str) -> None:
    news = news_of(resolved(how), uuid4())
    assert news is not None
    assert (news.template, news.detail) == (Template.CASE_RESOLVED, how)


def test_nothing_is_told_of_imported_history() -> None:
    history: list[Event] = [
        submitted("import"),
        ReferralAccepted.model_validate(about_referral(record_only=True)),
        held(Reason.NO_ACCESS, record_only=True),
        resolved("completed", record_only=True),
    ]
    assert [news_of(event, uuid4()) for event in history] == [None] * 4


def test_nothing_is_told_of_what_changes_nothing_for_the_reporter() -> None:
    about = about_referral()
    quiet: list[Event] = [
        CaseWithdrawn(case_id=CASE, withdrawn_at=NOW),
        CaseRouted(case_id=CASE, submitted_at=NOW, routed_at=NOW),
        ReferralRequested.model_validate(about),
        ReferralStarted.model_validate(about),
        ReferralCompleted.model_validate(about),
        ReferralRejected.model_validate(about | {"reason": Reason.NO_CAPACITY}),
    ]
    assert [news_of(event, uuid4()) for event in quiet] == [None] * 6


@given(st.uuids(), st.uuids())
def test_a_delivery_has_the_same_id_if_and_only_if_it_has_the_same_cause(one: UUID, other: UUID) -> None:
    first, again, second = (news_of(submitted(), cause) for cause in (one, one, other))
    assert first is not None
    assert again is not None
    assert second is not None
    assert first.delivery_id == again.delivery_id
    assert (first.delivery_id == second.delivery_id) == (one == other)


def test_of_a_report_only_the_sealed_contact_is_kept() -> None:
    kept = reporter_of(submitted())
    assert (kept.contact, kept.language, kept.silent) == ("block", "es", False)
    assert "words" not in repr(kept)


def test_of_an_imported_report_not_even_the_sealed_contact_is_kept() -> None:
    kept = reporter_of(submitted("import"))
    assert (kept.contact, kept.person_id, kept.silent) == (None, None, True)
