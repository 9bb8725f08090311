"""Journeys show causes before effects, and no free text."""

import json
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.journey import JourneyEntry, entry_of, order_entries
from shared.events import referrals
from tests.unit.metrics.case_events import CaseEvents, random_case

NOISE, POLICE = "noise", "nypd"


def entries_of(case: CaseEvents) -> list[JourneyEntry]:
    return [entry_of(one.envelope, one.event, one.topic) for one in case.events]


@given(st.integers(min_value=0, max_value=10_000), st.randoms(use_true_random=False))
def test_a_journey_has_the_same_order(seed: int, chance: random.Random) -> None:
    entries = entries_of(random_case(1, seed))
    shuffled = list(entries)
    chance.shuffle(shuffled)
    assert order_entries(shuffled) == order_entries(entries)


@given(st.integers(min_value=0, max_value=10_000))
def test_no_effect_comes_before_its_cause(seed: int) -> None:
    seen: set[object] = set()
    for entry in order_entries(entries_of(random_case(1, seed))):
        assert entry.causation_id is None or entry.causation_id in seen
        seen.add(entry.event_id)


def test_an_agency_whose_clock_is_slow_does_not_answer_before_it_was_asked() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    case.refer(referrals.ReferralAccepted, NOISE, POLICE, at=case.now - timedelta(hours=1))
    assert [entry.type for entry in order_entries(entries_of(case))][-1] == "referral.accepted.v1"


def test_the_second_event_of_a_topic_is_not_first_though_its_time_is_earlier() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    requested = case.events[-1].envelope
    for kind, minutes in ((referrals.ReferralAccepted, 10), (referrals.ReferralStarted, 5)):
        case.refer(kind, NOISE, POLICE, at=case.now + timedelta(minutes=minutes))
        accepted = case.events[-1]
        case.events[-1] = replace(accepted, envelope=replace(accepted.envelope, causation_id=requested.id))
    types = [entry.type for entry in order_entries(entries_of(case))]
    assert types[-2:] == ["referral.accepted.v1", "referral.started.v1"]


def test_events_that_claim_to_cause_each_other_are_all_shown() -> None:
    first, second = entries_of(CaseEvents(1).file().route({}))[:2]
    circle = [replace(first, causation_id=second.event_id), second]
    assert len(order_entries(circle)) == 2


def test_a_journey_stores_no_text_of_an_agency() -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).answer(NOISE, POLICE, "Maria Lopez did not open")
    summaries = json.dumps([entry.summary for entry in entries_of(case)])
    assert "Maria" not in summaries
    assert "no-access" in summaries


def test_a_journey_stores_nothing_that_is_sealed() -> None:
    case = CaseEvents(1).file((NOISE,), sealed={"contact": "c2VhbGVk"}, person_id=CaseEvents(2).case_id)
    [entry] = entries_of(case)
    assert entry.summary == {
        "service_request_id": case.service_request_id,
        "service_code": "heat-hot-water",
        "urgency": "routine",
        "needs": [NOISE],
        "district": "bronx",
        "channel": "api",
    }
