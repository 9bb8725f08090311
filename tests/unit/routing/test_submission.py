"""What happens when a report comes in, and when it is taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from services.routing.domain.agency_updates import ReceivedUpdate, apply_update
from services.routing.domain.case import Resolution
from services.routing.domain.decision import CaseDecision
from services.routing.domain.referral import State
from services.routing.domain.submission import route, withdraw
from shared.events import agency_inbox, agency_updates
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseWithdrawn
from shared.events.reasons import Reason
from shared.events.referrals import ReferralAccepted, ReferralRequested
from shared.events.routing import CaseResolved, CaseRouted, CaseUnroutable
from tests.builders import HOUR, NOON, case_id, need_id, recorded_referral, report
from tests.unit.routing.fixtures import cause, context, event_types, update

E = TypeVar("E", bound=Event)


def events_of(decision: CaseDecision, kind: type[E]) -> list[E]:
    """Return the events of one class that a decision publishes."""
    return [each.event for each in decision.events if isinstance(each.event, kind)]


def test_each_need_of_a_case_is_asked_for_and_the_case_is_routed_once() -> None:
    decision = route(report("housing", "health"), cause(), context())
    assert event_types(decision.events) == [
        "referral.requested",
        "referral.requested",
        "homes < referral.requested",
        "disclosure.made",
        "clinic < referral.requested",
        "disclosure.made",
        "case.routed",
    ]
    (routed,) = events_of(decision, CaseRouted)
    assert [(need.need, need.agency) for need in routed.routed] == [("housing", "homes"), ("health", "clinic")]


def test_a_need_without_a_program_goes_to_the_triage_queue_and_keeps_the_case_open() -> None:
    decision = route(report("loneliness", "health"), cause(), context())
    (unroutable,) = events_of(decision, CaseUnroutable)
    assert unroutable.reason is Reason.NO_PROGRAM
    assert events_of(decision, CaseRouted)[0].unrouted == (need_id("loneliness"),)
    assert decision.case.is_in_triage(need_id("loneliness"))
    assert decision.case.resolution is None


def test_the_program_has_its_own_time_to_answer() -> None:
    decision = route(report("housing"), cause(), context(NOON + HOUR))
    (asked,) = events_of(decision, agency_inbox.ReferralRequested)
    assert asked.answer_by == NOON + HOUR + timedelta(hours=4)
    assert events_of(decision, ReferralRequested)[0].answer_by == asked.answer_by


def test_routing_the_same_report_again_says_exactly_the_same() -> None:
    filed = report("housing", "health", "loneliness")
    first, second = (route(filed, cause(), context()) for _ in range(2))
    assert first.events == second.events


def test_a_closed_record_becomes_history_with_its_own_times() -> None:
    closed = NOON + timedelta(days=3)
    decision = route(
        report("housing", recorded=(recorded_referral(closed_at=closed),)), cause(), context(NOON + timedelta(days=900))
    )
    assert event_types(decision.events) == [
        "referral.requested",
        "homes < referral.requested",
        "disclosure.made",
        "case.routed",
        "referral.accepted",
        "referral.completed",
        "case.resolved",
    ]
    assert [each.event.happened_at for each in decision.events if not each.topic.startswith("agency.")] == [
        NOON,
        NOON + timedelta(days=900),
        NOON,
        closed,
        closed,
        closed,
    ]
    assert all(each.event.model_dump().get("record_only", True) for each in decision.events)
    assert decision.case.resolution is Resolution.COMPLETED


def test_a_record_that_says_when_it_was_answered_keeps_that() -> None:
    answered = NOON + HOUR
    recorded = (recorded_referral(closed_at=NOON + 5 * HOUR, answered_at=answered),)
    decision = route(report("housing", recorded=recorded), cause(), context())
    assert events_of(decision, ReferralAccepted)[0].occurred_at == answered


def test_a_record_that_was_closed_before_it_was_opened_is_passed_on_as_it_is() -> None:
    closed = NOON - timedelta(days=1)
    decision = route(report("housing", recorded=(recorded_referral(closed_at=closed),)), cause(), context())
    assert events_of(decision, CaseResolved)[0].resolved_at == closed
    assert events_of(decision, ReferralRequested)[0].occurred_at == NOON


def test_an_open_record_is_live_but_keeps_when_it_was_opened() -> None:
    now = NOON + timedelta(days=10)
    decision = route(report("housing", recorded=(recorded_referral(closed_at=None),)), cause(), context(now))
    (asked,) = events_of(decision, ReferralRequested)
    assert asked.occurred_at == NOON
    assert asked.answer_by == now + 4 * HOUR
    assert not asked.record_only
    assert decision.case.resolution is None


def test_a_case_that_is_closed_in_part_stays_open() -> None:
    recorded = (recorded_referral(closed_at=NOON + HOUR), recorded_referral("health", closed_at=None))
    decision = route(report("housing", "health", recorded=recorded), cause(), context())
    assert events_of(decision, CaseResolved) == []
    assert [r.state for r in decision.case.referrals.values()] == [State.COMPLETED, State.REQUESTED]
    assert not events_of(decision, CaseRouted)[0].record_only


def test_a_withdrawn_case_takes_every_open_referral_back_and_ends() -> None:
    first = route(report("housing", "loneliness"), cause(), context())
    accepted = apply_update(
        first.case, ReceivedUpdate("homes", update(agency_updates.ReferralAccepted, first), cause("yes")), context()
    )
    assert isinstance(accepted, CaseDecision)
    event = CaseWithdrawn(case_id=case_id(), withdrawn_at=NOON + HOUR)
    decision = withdraw(accepted.case, event, cause("back"), context(NOON + HOUR))
    assert event_types(decision.events) == ["referral.cancelled", "homes < referral.cancelled", "case.resolved"]
    assert decision.case.resolution is Resolution.WITHDRAWN
    assert not decision.case.is_in_triage(need_id("loneliness"))


def test_withdrawing_twice_says_nothing_more() -> None:
    first = route(report("housing"), cause(), context())
    event = CaseWithdrawn(case_id=case_id(), withdrawn_at=NOON)
    once = withdraw(first.case, event, cause("back"), context())
    assert withdraw(once.case, event, cause("again"), context()).events == ()


def test_a_decision_leaves_the_case_that_it_was_given_as_it_was() -> None:
    first = route(report("housing"), cause(), context())
    before = replace(first.case, referrals=dict(first.case.referrals), triage=dict(first.case.triage))
    withdraw(first.case, CaseWithdrawn(case_id=case_id(), withdrawn_at=NOON), cause("back"), context())
    assert first.case == before


def test_an_agency_is_given_what_its_agreement_names_and_told_what_is_withheld() -> None:
    blocks = {FieldGroup.ADDRESS: b'{"address": "1 Elm St"}', FieldGroup.IDENTITY: b'{"first_name": "Ana"}'}
    filed = report("housing", sealed=dict.fromkeys(blocks, "block"))
    (asked,) = events_of(route(filed, cause(), context(blocks=blocks)), agency_inbox.ReferralRequested)
    assert asked.released.address is not None
    assert asked.released.address.address == "1 Elm St"
    assert asked.released.identity is None
    assert FieldGroup.IDENTITY in asked.withheld
    assert not set(asked.withheld) & {FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.VICTIM_SERVICES}


def test_no_word_of_a_person_is_said_to_the_other_services() -> None:
    blocks = {FieldGroup.ADDRESS: b'{"address": "1 Elm St"}'}
    decision = route(report("housing", sealed={FieldGroup.ADDRESS: "block"}), cause(), context(blocks=blocks))
    inner = [each.event.model_dump_json() for each in decision.events if not each.topic.startswith("agency.")]
    assert not any("Elm" in text for text in inner)
