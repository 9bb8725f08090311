"""What is known after everything was heard at least twice and out of order is what was said."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.metrics.domain.event_projection import facts_of
from services.metrics.domain.facts import FACTS, Fact, merge
from services.metrics.tables import FACT_TABLES
from tests.service.metrics.world import World
from tests.unit.metrics.stories import Said, Story, any_story
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.servers


def told(said: list[Said]) -> dict[type[Fact], list[Fact]]:
    return merge(fact for one in said for fact in facts_of(one.event, one.envelope))


def kept(world: World) -> dict[type[Any], list[Any]]:
    return {
        kind: [kind(**row) for row in world.query(f"SELECT * FROM {FACT_TABLES[kind].name} ORDER BY {kind.KEY}")]
        for kind in FACTS
    }


@pytest.mark.parametrize("seed", range(3))
async def test_facts_are_the_same_in_whatever_order_and_however_often_events_are_heard(world: World, seed: int) -> None:
    stories = [any_story(number, seed * 100 + number) for number in range(25)]
    await world.hear(*stories, seed=seed)
    assert kept(world) == told([one for story in stories for one in story.said])


async def test_each_event_is_in_the_journey_of_its_case_once(world: World) -> None:
    stories = [any_story(number, number) for number in range(10)]
    await world.hear(*stories)
    entries = world.query("SELECT source, event_id, case_id FROM journey_entries")
    said = [one for story in stories for one in story.said]
    assert {(e["source"], e["event_id"], str(e["case_id"])) for e in entries} == {
        (one.envelope.source, one.envelope.id, one.envelope.subject) for one in said
    }
    assert len(entries) == len(said)


async def test_consumers_of_different_topics_never_lock_each_other_up(world: World) -> None:
    said = [one for number in range(150) for one in any_story(number, number).said]
    forwards = [one for one in said if "agency" not in one.topic]
    backwards = list(reversed(forwards))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(world.hear_once(part) for part in (forwards, backwards, forwards, backwards)))
    assert kept(world) == told(said)


async def test_an_event_from_the_wrong_source_is_set_aside_and_the_others_are_heard(world: World) -> None:
    story = Story(1).file().tell()
    filed, sent = story.said
    forged = replace(sent, envelope=replace(sent.envelope, source="/agencies/nypd"))
    await world.hear_once([filed, forged])
    assert [row["type"] for row in world.query("SELECT type FROM journey_entries")] == ["case.submitted.v1"]
    assert world.query("SELECT count(*) AS n FROM dead_letters") == [{"n": 1}]
