"""Journeys: in an order that makes sense, without anybody's words."""

import json
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.journey import JourneyEntry, entry_of, order_entries
from shared.events import referrals
from tests.unit.metrics.stories import Story, any_story

NOISE, POLICE = "noise", "nypd"


def entries_of(story: Story) -> list[JourneyEntry]:
    return [entry_of(one.envelope, one.event, one.topic) for one in story.said]


@given(st.integers(min_value=0, max_value=10_000), st.randoms(use_true_random=False))
def test_a_journey_is_told_in_the_same_order_however_it_was_heard(seed: int, chance: random.Random) -> None:
    entries = entries_of(any_story(1, seed))
    shuffled = list(entries)
    chance.shuffle(shuffled)
    assert order_entries(shuffled) == order_entries(entries)


@given(st.integers(min_value=0, max_value=10_000))
def test_no_effect_is_told_before_its_cause(seed: int) -> None:
    told: set[object] = set()
    for entry in order_entries(entries_of(any_story(1, seed))):
        assert entry.causation_id is None or entry.causation_id in told
        told.add(entry.event_id)


def test_an_agency_whose_clock_is_slow_does_not_answer_before_it_was_asked() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    story.refer(referrals.ReferralAccepted, NOISE, POLICE, at=story.now - timedelta(hours=1))
    assert [entry.type for entry in order_entries(entries_of(story))][-1] == "referral.accepted.v1"


def test_what_a_topic_said_second_is_not_told_first_though_its_time_is_earlier() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    requested = story.said[-1].envelope
    for kind, minutes in ((referrals.ReferralAccepted, 10), (referrals.ReferralStarted, 5)):
        story.refer(kind, NOISE, POLICE, at=story.now + timedelta(minutes=minutes))
        said = story.said[-1]
        story.said[-1] = replace(said, envelope=replace(said.envelope, causation_id=requested.id))
    told = [entry.type for entry in order_entries(entries_of(story))]
    assert told[-2:] == ["referral.accepted.v1", "referral.started.v1"]


def test_events_that_claim_to_cause_each_other_are_told_all_the_same() -> None:
    first, second = entries_of(Story(1).file().route({}))[:2]
    circle = [replace(first, causation_id=second.event_id), second]
    assert len(order_entries(circle)) == 2


def test_a_journey_keeps_no_agencys_own_words() -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE}).answer(NOISE, POLICE, "Maria Lopez did not open")
    told = json.dumps([entry.summary for entry in entries_of(story)])
    assert "Maria" not in told
    assert "no-access" in told


def test_a_journey_keeps_nothing_that_is_sealed() -> None:
    story = Story(1).file((NOISE,), sealed={"contact": "c2VhbGVk"}, person_id=Story(2).case_id)
    [entry] = entries_of(story)
    assert entry.summary == {
        "service_request_id": story.service_request_id,
        "service_code": "heat-hot-water",
        "urgency": "routine",
        "needs": [NOISE],
        "district": "bronx",
        "channel": "api",
    }
