"""Overdue referrals are reminded, escalated and cancelled; a person chooses programs from the triage queue."""

from datetime import timedelta

from services.routing.domain.agency_updates import ReceivedUpdate, apply_update
from services.routing.domain.case import CaseState
from services.routing.domain.deadlines import handle_overdue, list_due
from services.routing.domain.decision import CaseDecision
from services.routing.domain.submission import route
from services.routing.domain.triage import Declined, TriageChoice, assign
from shared.events.agency_inbox import ReferralOverdue
from shared.events.agency_updates import ReferralAccepted
from tests.builders import HOUR, NOON, need_id, recorded_referral, report
from tests.unit.routing.fixtures import cause, context, event_types, update


def wait(case: CaseState, hours: float) -> CaseDecision | None:
    """Look at a case so many hours after noon; None when nothing is due."""
    then = context(NOON + hours * HOUR)
    waiting = list_due(case, then)
    return handle_overdue(case, waiting[0], then) if waiting else None


def test_nothing_happens_before_the_time_to_answer_has_passed() -> None:
    assert wait(route(report("housing"), cause(), context()).case, 3.9) is None


def test_an_agency_is_reminded_then_escalated_then_another_is_asked() -> None:
    decision = wait(route(report("housing"), cause(), context()).case, 4)
    assert decision is not None
    assert event_types(decision.events) == ["referral.overdue", "homes < referral.overdue"]
    assert wait(decision.case, 7.9) is None
    decision = wait(decision.case, 8)
    assert decision is not None
    assert event_types(decision.events) == ["referral.escalated", "homes < referral.overdue"]
    assert isinstance(decision.events[1].event, ReferralOverdue)
    assert decision.events[1].event.escalated
    decision = wait(decision.case, 12)
    assert decision is not None
    assert event_types(decision.events) == [
        "referral.cancelled",
        "homes < referral.cancelled",
        "referral.requested",
        "homes < referral.requested",
        "disclosure.made",
    ]
    assert decision.case.open_referrals()[0].program_name == "homes/emergency"


def test_without_a_fallback_a_person_must_choose() -> None:
    decision = wait(route(report("health"), cause(), context()).case, 8)
    for hours in (16, 24):
        assert decision is not None
        decision = wait(decision.case, hours)
    assert decision is not None
    assert event_types(decision.events) == ["referral.cancelled", "clinic < referral.cancelled", "case.unroutable"]


def test_after_a_long_silence_of_our_own_the_agency_still_has_time_after_each_reminder() -> None:
    decision = wait(route(report("housing"), cause(), context()).case, 400)
    assert decision is not None
    assert event_types(decision.events)[0] == "referral.overdue"
    assert wait(decision.case, 400) is None


def test_an_answer_ends_the_reminders() -> None:
    filed = route(report("housing"), cause(), context())
    decision = apply_update(filed.case, ReceivedUpdate("homes", update(ReferralAccepted, filed), cause()), context())
    assert isinstance(decision, CaseDecision)
    assert wait(decision.case, 400) is None


def test_no_agency_is_reminded_of_what_is_only_on_record() -> None:
    filed = route(report("housing", recorded=(recorded_referral(closed_at=NOON),)), cause(), context())
    assert wait(filed.case, 400) is None


def test_taking_a_step_twice_says_the_same() -> None:
    case = route(report("housing"), cause(), context()).case
    first, second = wait(case, 5), wait(case, 5)
    assert first is not None
    assert second is not None
    assert (first.events, first.cause.id) == (second.events, second.cause.id)


def test_a_person_chooses_a_program_and_is_on_record_for_it() -> None:
    filed = route(report("loneliness"), cause(), context())
    later = context(NOON + timedelta(days=1))
    decision = assign(filed.case, TriageChoice(need_id("loneliness"), "police/precinct", "staff:kim"), later)
    assert isinstance(decision, CaseDecision)
    assert event_types(decision.events) == ["referral.requested", "police < referral.requested", "disclosure.made"]
    assert decision.cause.by == "staff:kim"
    assert decision.history[0].why == "chosen by staff:kim"
    assert decision.case.triage[need_id("loneliness")].assigned_to == "police/precinct"


def test_a_choice_that_cannot_be_carried_out_is_declined() -> None:
    waiting = route(report("loneliness"), cause(), context()).case
    strict = route(report("loneliness", service_code="violence"), cause(), context()).case
    busy = route(report("housing"), cause(), context()).case
    need = need_id("loneliness")
    assert isinstance(assign(waiting, TriageChoice(need, "police/choir", "staff"), context()), Declined)
    assert isinstance(assign(waiting, TriageChoice(need, "harbor/desk", "staff"), context()), Declined)
    assert isinstance(assign(strict, TriageChoice(need, "police/precinct", "staff"), context()), Declined)
    assert isinstance(assign(busy, TriageChoice(need_id("housing"), "police/precinct", "staff"), context()), Declined)
