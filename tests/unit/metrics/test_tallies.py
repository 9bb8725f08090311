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
from tests.unit.metrics.stories import Story, any_story
from tests.unit.metrics.test_clocks import record_of

NOISE, POLICE = "noise", "nypd"
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def counted(story: Story) -> Counter[str]:
    return tally(record_of(story))


def test_a_case_is_pending_until_routing_has_spoken_of_it() -> None:
    story = Story(1).file((NOISE,))
    assert counted(story) == {"accepted": 1, "pending": 1}
    assert counted(story.route({NOISE: POLICE}))["pending"] == 0


def test_a_case_with_one_need_at_the_triage_desk_is_at_triage() -> None:
    counts = counted(Story(1).file((NOISE, "food-safety")).route({NOISE: POLICE}, unrouted=("food-safety",)))
    assert (counts["routed"], counts["triage"], counts["triage.open"]) == (0, 1, 1)


def test_a_need_that_a_person_placed_is_at_triage_no_longer() -> None:
    story = Story(1).file((NOISE,)).route({}, unrouted=(NOISE,)).wait(hours=1)
    counts = counted(story.refer(referrals.ReferralRequested, NOISE, POLICE))
    assert (counts["routed"], counts["triage"]) == (1, 0)


def test_a_need_that_was_rejected_by_the_last_agency_is_at_triage_again() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE}).wait(hours=1)
    story.refer(referrals.ReferralRejected, NOISE, POLICE, reason=Reason.NO_CAPACITY).give_up(NOISE)
    assert counted(story)["triage"] == 1


def test_a_referral_that_was_named_and_never_requested_is_missing() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    story.said.pop()
    assert counted(story)["missing"] == 1


def test_a_second_request_of_one_need_to_one_program_is_a_duplicate() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    said = story.said[-1]
    again = replace(said, event=said.event.model_copy(update={"referral_id": story.name("another")}))
    story.said.append(again)
    assert counted(story)["duplicates"] == 1


def test_what_was_told_twice_or_filed_twice_is_a_duplicate() -> None:
    record = record_of(Story(1).file((NOISE,)))
    assert tally(replace(record, completeness=EventCompleteness(repeated=2, is_copy=True)))["duplicates"] == 3


def test_an_overdue_referral_is_so_until_it_is_answered() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE}).wait(hours=9)
    story.refer(referrals.ReferralOverdue, NOISE, POLICE, answer_by=story.now)
    assert counted(story)["referral.unanswered_overdue"] == 1
    late = counted(story.refer(referrals.ReferralAccepted, NOISE, POLICE))
    assert (late["referral.unanswered_overdue"], late["referral.overdue"]) == (0, 1)


def test_a_case_that_was_resolved_at_two_times_was_reopened() -> None:
    story = Story(1).file((NOISE,)).wait(hours=1).resolve()
    assert counted(story)["reopened"] == 0
    assert counted(story.wait(hours=1).resolve())["reopened"] == 1


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=8, unique=True))
def test_every_accepted_case_is_routed_or_at_triage_or_pending(seeds: list[int]) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        counts.update(counted(any_story(seed, seed)))
    told = reconcile(counts, None, NOW)
    assert told["accepted"] == len(seeds) == told["routed"] + told["triage"] + told["pending"]
    assert told["balanced"]


def test_a_case_that_routing_spoke_of_and_nobody_filed_does_not_balance() -> None:
    told = reconcile({"accepted": 1, "routed": 2, "unfiled": 1}, None, NOW)
    assert not told["balanced"]


def test_totals_change_by_the_difference_alone() -> None:
    assert diff_tallies([{"a": 1, "b": 1}], [{"a": 1, "b": 2}, {"c": 1}]) == {"b": 1, "c": 1}
