"""What an agency says is applied, refused with a reason, or already known."""

from services.routing.domain.agency_updates import NOT_YOURS, ReceivedUpdate, RefusedUpdate, apply_update
from services.routing.domain.case import Resolution
from services.routing.domain.decision import CaseDecision
from services.routing.domain.submission import route
from shared.events import agency_inbox, agency_updates
from shared.events.fields import FieldGroup
from shared.events.reasons import Reason
from shared.events.referrals import ReferralHeld, ReferralTransferred
from tests.builders import HOUR, NOON, consent, need_id, report
from tests.unit.routing.fixtures import cause, context, event_types, update


def applied(decision: CaseDecision, agency: str, *kinds: type) -> CaseDecision | RefusedUpdate:
    """Let an agency say several things about the latest referral, each an hour after the other."""
    outcome: CaseDecision | RefusedUpdate = decision
    for number, kind in enumerate(kinds, 1):
        assert isinstance(outcome, CaseDecision)
        heard = ReceivedUpdate(agency, update(kind, outcome, NOON + number * HOUR), cause(f"{kind.__name__} {number}"))
        outcome = apply_update(outcome.case, heard, context(NOON + number * HOUR))
    return outcome


def refusal_of(outcome: CaseDecision | RefusedUpdate) -> agency_inbox.UpdateRefused:
    """What the agency is told when an update changed nothing."""
    assert isinstance(outcome, RefusedUpdate)
    (said,) = outcome.events
    assert isinstance(said.event, agency_inbox.UpdateRefused)
    return said.event


def test_a_case_ends_when_its_last_need_is_met_at_the_agencys_own_time() -> None:
    filed = route(report("housing"), cause(), context())
    decision = applied(
        filed,
        "homes",
        agency_updates.ReferralAccepted,
        agency_updates.ReferralStarted,
        agency_updates.ReferralCompleted,
    )
    assert isinstance(decision, CaseDecision)
    assert event_types(decision.events) == ["referral.completed", "case.resolved"]
    assert decision.case.resolution is Resolution.COMPLETED
    assert decision.case.resolved_at == NOON + 3 * HOUR


def test_an_agency_that_says_no_is_followed_by_the_next_candidate() -> None:
    decision = applied(route(report("housing"), cause(), context()), "homes", agency_updates.ReferralRejected)
    assert isinstance(decision, CaseDecision)
    assert event_types(decision.events) == [
        "referral.rejected",
        "referral.requested",
        "clinic < referral.requested",
        "disclosure.made",
    ]
    assert [(r.program_name, r.attempt) for r in decision.case.referrals.values()] == [
        ("homes/inspections", 1),
        ("clinic/visits", 2),
    ]


def test_when_everybody_has_said_no_a_person_must_choose() -> None:
    decision = applied(route(report("health"), cause(), context()), "clinic", agency_updates.ReferralRejected)
    assert isinstance(decision, CaseDecision)
    assert event_types(decision.events) == ["referral.rejected", "case.unroutable"]
    assert decision.case.is_in_triage(need_id("health"))
    assert decision.case.resolution is None


def test_a_failure_and_a_withdrawn_acceptance_move_on_as_well() -> None:
    filed = route(report("housing"), cause(), context())
    failed = applied(
        filed, "homes", agency_updates.ReferralAccepted, agency_updates.ReferralStarted, agency_updates.ReferralFailed
    )
    taken_back = applied(filed, "homes", agency_updates.ReferralAccepted, agency_updates.ReferralCancelled)
    assert isinstance(failed, CaseDecision)
    assert isinstance(taken_back, CaseDecision)
    assert event_types(failed.events)[:2] == ["referral.failed", "referral.requested"]
    assert event_types(taken_back.events)[:2] == ["referral.cancelled", "referral.requested"]


def test_saying_it_twice_does_nothing() -> None:
    decision = applied(
        route(report("housing"), cause(), context()),
        "homes",
        agency_updates.ReferralAccepted,
        agency_updates.ReferralAccepted,
    )
    assert isinstance(decision, CaseDecision)
    assert decision.events == ()
    assert decision.history == ()


def test_what_comes_out_of_order_is_refused_and_answered() -> None:
    refused = refusal_of(
        applied(route(report("housing"), cause(), context()), "homes", agency_updates.ReferralCompleted)
    )
    assert refused.state == "requested"
    assert "cannot be completed" in refused.explanation


def test_another_agency_learns_nothing_about_a_referral_that_is_not_its_own() -> None:
    filed = route(report("housing"), cause(), context())
    foreign = apply_update(
        filed.case, ReceivedUpdate("police", update(agency_updates.ReferralAccepted, filed), cause("x")), context()
    )
    unknown = apply_update(
        None, ReceivedUpdate("police", update(agency_updates.ReferralAccepted, filed), cause("x")), context()
    )
    assert refusal_of(foreign) == refusal_of(unknown)
    assert refusal_of(foreign).explanation == NOT_YOURS
    assert foreign.events[0].topic == "agency.police.inbox.v1"


def test_a_hold_says_whether_the_agency_could_end_it() -> None:
    decision = applied(
        route(report("housing"), cause(), context()),
        "homes",
        agency_updates.ReferralAccepted,
        agency_updates.ReferralStarted,
    )
    assert isinstance(decision, CaseDecision)
    for reason, controls in ((Reason.NO_ACCESS, False), (Reason.WAITING_FOR_PARTS, True)):
        held = apply_update(
            decision.case,
            ReceivedUpdate("homes", update(agency_updates.ReferralHeld, decision, reason=reason), cause()),
            context(),
        )
        assert isinstance(held, RefusedUpdate)
        later = apply_update(
            decision.case,
            ReceivedUpdate(
                "homes", update(agency_updates.ReferralHeld, decision, NOON + 9 * HOUR, reason=reason), cause()
            ),
            context(),
        )
        assert isinstance(later, CaseDecision)
        (event,) = [each.event for each in later.events]
        assert isinstance(event, ReferralHeld)
        assert event.agency_controls is controls


def test_a_transfer_closes_one_referral_and_opens_the_next() -> None:
    filed = route(report("housing"), cause(), context())
    moved = update(agency_updates.ReferralTransferred, filed, to_agency="police", to_program="precinct")
    decision = apply_update(filed.case, ReceivedUpdate("homes", moved, cause("t")), context())
    assert isinstance(decision, CaseDecision)
    moves = ["referral.transferred", "referral.requested", "police < referral.requested", "disclosure.made"]
    assert event_types(decision.events) == moves
    assert isinstance(decision.events[0].event, ReferralTransferred)
    first, second = decision.case.referrals.values()
    assert (first.state, first.last_change) == ("cancelled", "transferred")
    assert second.program_name == "police/precinct"


def test_a_transfer_to_a_program_that_cannot_take_it_is_refused() -> None:
    filed = route(report("housing"), cause(), context())
    for agency, program in (("homes", "gardens"), ("clinic", "north"), ("harbor", "desk"), ("homes", "inspections")):
        moved = update(agency_updates.ReferralTransferred, filed, to_agency=agency, to_program=program)
        refused = refusal_of(apply_update(filed.case, ReceivedUpdate("homes", moved, cause("t")), context()))
        assert f"{agency}/{program}" in refused.explanation


def test_a_strict_report_is_not_transferred_to_an_agency_that_may_not_have_it() -> None:
    here = context(consents=[consent("clinic", groups=[FieldGroup.SUBSTANCE_USE])])
    filed = route(report("housing", service_code="drugs"), cause(), here)
    moved = update(agency_updates.ReferralTransferred, filed, to_agency="homes", to_program="emergency")
    refusal_of(apply_update(filed.case, ReceivedUpdate("clinic", moved, cause("t")), here))


def test_an_agencys_words_are_noted_and_not_said_to_the_other_services() -> None:
    filed = route(report("housing"), cause(), context())
    decision = apply_update(
        filed.case,
        ReceivedUpdate("homes", update(agency_updates.ReferralRejected, filed, explanation="Ana was out"), cause()),
        context(),
    )
    assert isinstance(decision, CaseDecision)
    assert decision.history[0].words == "Ana was out"
    assert not any("Ana" in each.event.model_dump_json() for each in decision.events)
