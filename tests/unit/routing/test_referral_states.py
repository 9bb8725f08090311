"""The laws of the referral's state machine."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.referral import (
    ALLOWED,
    OPEN,
    Advanced,
    Disallowed,
    Referral,
    ReferralUpdate,
    Repeated,
    State,
    Transition,
    advance,
)
from shared.events.reasons import Reason
from tests.builders import NOON, need_id

FRESH = Referral(need_id("r"), need_id("housing"), "housing", "homes", "inspections", 1, NOON, NOON)

UPDATES = st.builds(
    ReferralUpdate,
    st.sampled_from(Transition),
    st.integers(-5, 5).map(lambda hours: NOON + timedelta(hours=hours)),
    st.none() | st.sampled_from(Reason),
)

# What agencies and routing may do, as a picture: from each state, the changes that lead out of it.
PICTURE = {
    "requested": {"accepted", "rejected", "cancelled", "transferred"},
    "accepted": {"started", "cancelled", "transferred"},
    "in-progress": {"held", "completed", "failed", "cancelled", "transferred"},
    "on-hold": {"resumed", "cancelled", "transferred"},
    "completed": set(),
    "rejected": set(),
    "failed": set(),
    "cancelled": set(),
}


def walk(updates: list[ReferralUpdate]) -> list[tuple[Referral, ReferralUpdate, Referral]]:
    """Apply updates one after the other, and return each step that changed something."""
    steps, referral = [], FRESH
    for update in updates:
        outcome = advance(referral, update)
        if isinstance(outcome, Advanced):
            steps.append((referral, update, outcome.referral))
            referral = outcome.referral
    return steps


def test_the_table_allows_what_the_picture_shows() -> None:
    assert {state.value: {change.value for change in changes} for state, changes in ALLOWED.items()} == PICTURE


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(ALLOWED) == set(State)
    reached = {State.REQUESTED} | {state for changes in ALLOWED.values() for state in changes.values()}
    assert reached == set(State)


@given(st.lists(UPDATES, max_size=40))
def test_every_step_is_one_that_the_table_allows(updates: list[ReferralUpdate]) -> None:
    for before, update, after in walk(updates):
        assert after.state is ALLOWED[before.state][update.change]
        assert after.changes == before.changes + 1


@given(st.lists(UPDATES, max_size=40), UPDATES)
def test_nothing_leaves_a_state_that_is_final(updates: list[ReferralUpdate], update: ReferralUpdate) -> None:
    for _, _, after in walk(updates):
        if after.state not in OPEN:
            assert not isinstance(advance(after, update), Advanced)


@given(st.lists(UPDATES, max_size=40), UPDATES)
def test_saying_it_twice_is_the_same_as_saying_it_once(updates: list[ReferralUpdate], update: ReferralUpdate) -> None:
    steps = walk(updates)
    referral = steps[-1][2] if steps else FRESH
    once = advance(referral, update)
    if isinstance(once, Advanced):
        assert advance(once.referral, update) == Repeated()


@given(st.lists(UPDATES, max_size=40))
def test_an_answer_ends_the_wait_for_one(updates: list[ReferralUpdate]) -> None:
    for _, _, after in walk(updates):
        assert after.due_at is None


def test_a_refusal_says_what_would_be_possible() -> None:
    refused = advance(FRESH, ReferralUpdate(Transition.COMPLETED, NOON))
    assert isinstance(refused, Disallowed)
    assert refused.explanation == (
        "a referral that is requested cannot be completed; it can be: accepted, rejected, cancelled, transferred"
    )


def test_an_old_hold_that_comes_after_the_work_went_on_is_refused() -> None:
    updates = [ReferralUpdate(Transition.ACCEPTED, NOON), ReferralUpdate(Transition.STARTED, NOON)]
    hold = ReferralUpdate(Transition.HELD, NOON + timedelta(hours=1), Reason.NO_ACCESS)
    going = walk([*updates, hold, ReferralUpdate(Transition.RESUMED, NOON + timedelta(hours=2))])[-1][2]
    assert isinstance(advance(going, hold), Disallowed)


def test_a_hold_for_another_reason_is_not_taken_for_a_repeat() -> None:
    held = walk(
        [
            ReferralUpdate(Transition.ACCEPTED, NOON),
            ReferralUpdate(Transition.STARTED, NOON),
            ReferralUpdate(Transition.HELD, NOON, Reason.NO_ACCESS),
        ]
    )[-1][2]
    assert isinstance(advance(held, ReferralUpdate(Transition.HELD, NOON, Reason.WAITING_FOR_PARTS)), Disallowed)
