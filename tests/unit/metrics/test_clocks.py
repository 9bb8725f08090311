"""Clocks: how long people wait, from the events' own times."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.clocks import CaseClocks, ReferralClocks, measure_case, measure_referral, week_of
from services.metrics.domain.event_projection import facts_of
from services.metrics.domain.facts import CaseFact, DeliveryFact, HoldFact, NeedFact, ReferralFact, merge
from services.metrics.domain.records import CaseRecord
from shared.events import referrals
from shared.events.reasons import Reason
from tests.unit.metrics.case_events import CaseEvents, random_case

NEW_YORK = ZoneInfo("America/New_York")
NOISE, POLICE = "noise", "nypd"


def record_of(case: CaseEvents) -> CaseRecord:
    known: dict[Any, Any] = merge(fact for one in case.events for fact in facts_of(one.event, one.envelope))
    holds: dict[Any, list[HoldFact]] = {}
    for hold in known[HoldFact]:
        holds.setdefault(hold.referral_id, []).append(hold)
    return CaseRecord(known[CaseFact][0], known[NeedFact], known[ReferralFact], holds, known[DeliveryFact])


def case_clocks(case: CaseEvents) -> CaseClocks:
    return measure_case(record_of(case), NEW_YORK)


def referral_clocks(case: CaseEvents) -> ReferralClocks:
    record = record_of(case)
    [referral] = record.referrals
    clocks = measure_referral(referral, record.holds.get(referral.referral_id, ()), NEW_YORK)
    assert clocks is not None
    return clocks


def started() -> CaseEvents:
    case = CaseEvents(1).file((NOISE,)).wait(seconds=2).route({NOISE: POLICE}).wait(minutes=10)
    return (
        case.refer(referrals.ReferralAccepted, NOISE, POLICE)
        .wait(minutes=5)
        .refer(referrals.ReferralStarted, NOISE, POLICE)
    )


def test_each_clock_runs_from_its_own_start_to_its_own_end() -> None:
    events = started().wait(minutes=30).refer(referrals.ReferralCompleted, NOISE, POLICE).wait(seconds=1).resolve()
    case, referral = case_clocks(events), referral_clocks(events)
    assert (case.routing, case.response, case.resolution) == (2, 602, 2703)
    assert (referral.response, referral.answer, referral.start) == (602, 600, 300)
    assert (referral.work, referral.resolution, referral.hold) == (1800, 2702, 0)
    assert not case.is_open
    assert not referral.is_open


def test_a_clock_that_has_not_ended_has_no_time() -> None:
    case, referral = case_clocks(started()), referral_clocks(started())
    assert (case.resolution, referral.work, referral.resolution) == (None, None, None)
    assert case.is_open
    assert referral.is_open


def test_a_rejection_is_an_answer_and_no_resolution() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).wait(minutes=3)
    case.refer(referrals.ReferralRejected, NOISE, POLICE, reason=Reason.WRONG_AGENCY)
    referral = referral_clocks(case)
    assert (referral.response, referral.resolution, referral.is_open) == (180, None, False)


def test_time_on_hold_for_a_reason_that_the_agency_does_not_control_is_subtracted_and_shown() -> None:
    case = started().wait(minutes=1).hold(NOISE, POLICE, Reason.NO_ACCESS).wait(hours=2)
    case.refer(referrals.ReferralResumed, NOISE, POLICE).wait(minutes=9).refer(
        referrals.ReferralCompleted, NOISE, POLICE
    )
    referral = referral_clocks(case)
    assert (referral.work, referral.hold) == (600, 7200)
    assert referral.resolution == 2 + 600 + 300 + 600


def test_time_on_hold_that_the_agency_could_end_counts_against_it() -> None:
    case = started().hold(NOISE, POLICE, Reason.NO_CAPACITY).wait(hours=2)
    case.refer(referrals.ReferralResumed, NOISE, POLICE).refer(referrals.ReferralCompleted, NOISE, POLICE)
    assert (referral_clocks(case).work, referral_clocks(case).hold) == (7200, 0)


def test_a_hold_without_an_end_ends_with_the_referral() -> None:
    case = started().hold(NOISE, POLICE, Reason.WAITING_FOR_PERSON).wait(hours=1)
    case.refer(referrals.ReferralCompleted, NOISE, POLICE)
    assert (referral_clocks(case).work, referral_clocks(case).hold) == (0, 3600)


def test_a_clock_that_runs_backwards_is_negative_and_so_invalid() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    case.refer(referrals.ReferralAccepted, NOISE, POLICE, at=case.now - timedelta(minutes=1))
    assert case_clocks(case).response == referral_clocks(case).response == -60


def test_a_hold_that_ends_before_it_began_makes_its_clocks_invalid() -> None:
    case = started().wait(minutes=9).hold(NOISE, POLICE, Reason.NO_ACCESS)
    case.refer(referrals.ReferralResumed, NOISE, POLICE, at=case.now - timedelta(seconds=7)).wait(hours=1)
    case.refer(referrals.ReferralCompleted, NOISE, POLICE)
    referral = referral_clocks(case)
    assert (referral.work, referral.resolution, referral.hold) == (-7, -7, 0)
    assert referral.response == 602


def test_response_is_the_first_answer_of_any_agency() -> None:
    case = CaseEvents(1).file((NOISE, "food-safety")).route({NOISE: POLICE, "food-safety": "dohmh"}).wait(minutes=4)
    case.refer(referrals.ReferralAccepted, "food-safety", "dohmh").wait(minutes=4)
    assert case_clocks(case.refer(referrals.ReferralAccepted, NOISE, POLICE)).response == 240


def test_a_case_that_is_resolved_again_took_until_the_last_time() -> None:
    case = CaseEvents(1).file((NOISE,)).wait(hours=1).resolve("not-completed").wait(hours=1).resolve()
    assert case_clocks(case).resolution == 7200


def test_weeks_begin_on_monday_in_the_citys_own_time() -> None:
    assert week_of(datetime(2026, 3, 9, 3, 59, tzinfo=UTC), NEW_YORK) == date(2026, 3, 2)
    assert week_of(datetime(2026, 3, 9, 4, 1, tzinfo=UTC), NEW_YORK) == date(2026, 3, 9)


@given(st.integers(min_value=0, max_value=10_000))
def test_no_time_without_hold_is_longer_than_the_time_itself(seed: int) -> None:
    record = record_of(random_case(1, seed))
    for referral in record.referrals:
        clocks = measure_referral(referral, record.holds.get(referral.referral_id, ()), NEW_YORK)
        assert clocks is not None
        assert clocks.hold >= 0
        if referral.completed_at and referral.filed_at and clocks.resolution is not None:
            assert clocks.resolution <= (referral.completed_at - referral.filed_at).total_seconds()
