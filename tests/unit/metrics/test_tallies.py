"""Tallies and the reconciliation that is made of them."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.reconciliation import reconcile
from services.metrics.domain.records import EventCompleteness
from services.metrics.domain.tallies import diff_tallies, tally
from shared.events import referrals
from shared.events.reasons import Reason
from tests.unit.metrics.case_events import CaseEvents, random_case
from tests.unit.metrics.test_clocks import record_of

NOISE, POLICE = "noise", "nypd"
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def counted(case: CaseEvents) -> Counter[str]:
    return tally(record_of(case))


def test_a_case_is_pending_until_routing_has_decided_it() -> None:
    case = CaseEvents(1).file((NOISE,))
    assert counted(case) == {"accepted": 1, "pending": 1}
    assert counted(case.route({NOISE: POLICE}))["pending"] == 0


def test_a_case_with_one_need_in_the_triage_queue_is_in_triage() -> None:
    counts = counted(CaseEvents(1).file((NOISE, "food-safety")).route({NOISE: POLICE}, unrouted=("food-safety",)))
    assert (counts["routed"], counts["triage"], counts["triage.open"]) == (0, 1, 1)


def test_a_need_that_a_person_placed_is_not_in_triage() -> None:
    case = CaseEvents(1).file((NOISE,)).route({}, unrouted=(NOISE,)).wait(hours=1)
    counts = counted(case.refer(referrals.ReferralRequested, NOISE, POLICE))
    assert (counts["routed"], counts["triage"]) == (1, 0)


def test_a_need_that_the_last_agency_rejected_is_in_triage_again() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).wait(hours=1)
    case.refer(referrals.ReferralRejected, NOISE, POLICE, reason=Reason.NO_CAPACITY).give_up(NOISE)
    assert counted(case)["triage"] == 1


def test_a_referral_that_was_named_and_never_requested_is_missing() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    case.events.pop()
    assert counted(case)["missing"] == 1


def test_a_second_request_of_one_need_to_one_program_is_a_duplicate() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    request = case.events[-1]
    again = replace(request, event=request.event.model_copy(update={"referral_id": case.name("another")}))
    case.events.append(again)
    assert counted(case)["duplicates"] == 1


def test_a_repeated_event_and_a_case_filed_twice_are_duplicates() -> None:
    record = record_of(CaseEvents(1).file((NOISE,)))
    assert tally(replace(record, completeness=EventCompleteness(repeated=2, is_copy=True)))["duplicates"] == 3


def test_an_overdue_referral_is_so_until_it_is_answered() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).wait(hours=9)
    case.refer(referrals.ReferralOverdue, NOISE, POLICE, answer_by=case.now)
    assert counted(case)["referral.unanswered_overdue"] == 1
    late = counted(case.refer(referrals.ReferralAccepted, NOISE, POLICE))
    assert (late["referral.unanswered_overdue"], late["referral.overdue"]) == (0, 1)


def test_a_case_that_was_resolved_at_two_times_was_reopened() -> None:
    case = CaseEvents(1).file((NOISE,)).wait(hours=1).resolve()
    assert counted(case)["reopened"] == 0
    assert counted(case.wait(hours=1).resolve())["reopened"] == 1


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=8, unique=True))
def test_every_accepted_case_is_routed_or_in_triage_or_pending(seeds: list[int]) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        counts.update(counted(random_case(seed, seed)))
    reconciliation = reconcile(counts, None, NOW)
    assert (
        reconciliation["accepted"]
        == len(seeds)
        == reconciliation["routed"] + reconciliation["triage"] + reconciliation["pending"]
    )
    assert reconciliation["balanced"]


def test_a_case_that_was_routed_and_never_filed_does_not_balance() -> None:
    reconciliation = reconcile({"accepted": 1, "routed": 2, "unfiled": 1}, None, NOW)
    assert not reconciliation["balanced"]


def test_totals_change_by_the_difference_alone() -> None:
    assert diff_tallies([{"a": 1, "b": 1}], [{"a": 1, "b": 2}, {"c": 1}]) == {"b": 1, "c": 1}
