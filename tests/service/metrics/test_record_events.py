"""Stored facts are those of the events, however often and in whatever order they arrive."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.metrics.domain.event_projection import facts_of
from services.metrics.domain.facts import FACTS, Fact, merge
from services.metrics.tables import FACT_TABLES
from tests.eventually import PATIENCE_SECONDS
from tests.service.metrics.harness import MetricsHarness
from tests.unit.metrics.case_events import CaseEvents, TopicEvent, random_case

pytestmark = pytest.mark.servers


def merged(events: list[TopicEvent]) -> dict[type[Fact], list[Fact]]:
    return merge(fact for one in events for fact in facts_of(one.event, one.envelope))


def stored(harness: MetricsHarness) -> dict[type[Any], list[Any]]:
    return {
        kind: [kind(**row) for row in harness.query(f"SELECT * FROM {FACT_TABLES[kind].name} ORDER BY {kind.KEY}")]
        for kind in FACTS
    }


@pytest.mark.parametrize("seed", range(3))
async def test_facts_are_the_same_in_whatever_order_and_however_often_events_arrive(
    harness: MetricsHarness, seed: int
) -> None:
    cases = [random_case(number, seed * 100 + number) for number in range(25)]
    await harness.consume(*cases, seed=seed)
    assert stored(harness) == merged([one for case in cases for one in case.events])


async def test_each_event_is_in_the_journey_of_its_case_once(harness: MetricsHarness) -> None:
    cases = [random_case(number, number) for number in range(10)]
    await harness.consume(*cases)
    entries = harness.query("SELECT source, event_id, case_id FROM journey_entries")
    events = [one for case in cases for one in case.events]
    assert {(e["source"], e["event_id"], str(e["case_id"])) for e in entries} == {
        (one.envelope.source, one.envelope.id, one.envelope.subject) for one in events
    }
    assert len(entries) == len(events)


async def test_consumers_of_different_topics_do_not_deadlock(harness: MetricsHarness) -> None:
    events = [one for number in range(150) for one in random_case(number, number).events]
    forwards = [one for one in events if "agency" not in one.topic]
    backwards = list(reversed(forwards))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(harness.consume_once(part) for part in (forwards, backwards, forwards, backwards)))
    assert stored(harness) == merged(events)


async def test_an_event_from_the_wrong_source_is_a_dead_letter_and_the_others_are_recorded(
    harness: MetricsHarness,
) -> None:
    case = CaseEvents(1).file().notify()
    filed, sent = case.events
    forged = replace(sent, envelope=replace(sent.envelope, source="/agencies/nypd"))
    await harness.consume_once([filed, forged])
    assert [row["type"] for row in harness.query("SELECT type FROM journey_entries")] == ["case.submitted.v1"]
    assert harness.query("SELECT count(*) AS n FROM dead_letters") == [{"n": 1}]
