"""What happens when nobody answers in time, and what a person at the triage desk can do."""

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


def test_an_agency_is_reminded_then_escalated_then_somebody_else_is_asked() -> None:
    turn = wait(route(report("housing"), cause(), context()).case, 4)
    assert turn is not None
    assert event_types(turn.events) == ["referral.overdue", "homes < referral.overdue"]
    assert wait(turn.case, 7.9) is None
    turn = wait(turn.case, 8)
    assert turn is not None
    assert event_types(turn.events) == ["referral.escalated", "homes < referral.overdue"]
    assert isinstance(turn.events[1].event, ReferralOverdue)
    assert turn.events[1].event.escalated
    turn = wait(turn.case, 12)
    assert turn is not None
    assert event_types(turn.events) == [
        "referral.cancelled",
        "homes < referral.cancelled",
        "referral.requested",
        "homes < referral.requested",
        "disclosure.made",
    ]
    assert turn.case.open_referrals()[0].program_name == "homes/emergency"


def test_without_a_fallback_a_person_must_choose() -> None:
    turn = wait(route(report("health"), cause(), context()).case, 8)
    for hours in (16, 24):
        assert turn is not None
        turn = wait(turn.case, hours)
    assert turn is not None
    assert event_types(turn.events) == ["referral.cancelled", "clinic < referral.cancelled", "case.unroutable"]


def test_after_a_long_silence_of_our_own_the_agency_still_has_time_after_each_reminder() -> None:
    turn = wait(route(report("housing"), cause(), context()).case, 400)
    assert turn is not None
    assert event_types(turn.events)[0] == "referral.overdue"
    assert wait(turn.case, 400) is None


def test_an_answer_ends_the_reminders() -> None:
    filed = route(report("housing"), cause(), context())
    turn = apply_update(filed.case, ReceivedUpdate("homes", update(ReferralAccepted, filed), cause()), context())
    assert isinstance(turn, CaseDecision)
    assert wait(turn.case, 400) is None


def test_nobody_is_reminded_of_what_is_only_on_record() -> None:
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
    turn = assign(filed.case, TriageChoice(need_id("loneliness"), "police/precinct", "staff:kim"), later)
    assert isinstance(turn, CaseDecision)
    assert event_types(turn.events) == ["referral.requested", "police < referral.requested", "disclosure.made"]
    assert turn.cause.by == "staff:kim"
    assert turn.history[0].why == "chosen by staff:kim"
    assert turn.case.triage[need_id("loneliness")].assigned_to == "police/precinct"


def test_a_choice_that_cannot_be_carried_out_is_declined() -> None:
    waiting = route(report("loneliness"), cause(), context()).case
    strict = route(report("loneliness", service_code="violence"), cause(), context()).case
    busy = route(report("housing"), cause(), context()).case
    need = need_id("loneliness")
    assert isinstance(assign(waiting, TriageChoice(need, "police/choir", "staff"), context()), Declined)
    assert isinstance(assign(waiting, TriageChoice(need, "nobody/desk", "staff"), context()), Declined)
    assert isinstance(assign(strict, TriageChoice(need, "police/precinct", "staff"), context()), Declined)
    assert isinstance(assign(busy, TriageChoice(need_id("housing"), "police/precinct", "staff"), context()), Declined)
