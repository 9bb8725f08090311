"""Facts are the same in whatever order, and however often, their events arrive."""

import random
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.event_projection import facts_of
from services.metrics.domain.facts import FACTS, CaseFact, Fact, merge, merge_pair
from services.metrics.tables import FACT_TABLES
from shared.events.topics import REFERRALS
from tests.unit.metrics.case_events import CaseEvents, TopicEvent, random_case

seeds = st.integers(min_value=0, max_value=10_000)


def known(events: list[TopicEvent]) -> dict[type[Fact], list[Fact]]:
    return merge(fact for one in events for fact in facts_of(one.event, one.envelope))


@given(seeds, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_of_a_cases_events_gives_the_same_facts(seed: int, chance: random.Random) -> None:
    events = random_case(1, seed).events
    repeated = events + chance.choices(events, k=len(events))
    chance.shuffle(repeated)
    assert known(repeated) == known(events)


@given(seeds, st.randoms(use_true_random=False))
def test_facts_merged_in_parts_are_the_facts_merged_together(seed: int, chance: random.Random) -> None:
    events = random_case(1, seed).events
    parts = [[one for one in events if chance.random() < 0.5] for _ in range(3)] + [events]
    in_parts = merge(fact for part in parts for facts in known(part).values() for fact in facts)
    assert in_parts == known(events)


def test_a_fact_merged_with_an_empty_one_stays_as_it_is() -> None:
    events = CaseEvents(1).file()
    [case] = known(events.events)[CaseFact]
    empty = CaseFact(case_id=events.case_id)
    assert merge_pair(case, empty) == case == merge_pair(empty, case)


def test_an_agencys_own_update_gives_no_fact_until_routing_has_applied_it() -> None:
    case = CaseEvents(1).file().route({"noise": "nypd"})
    before = known(case.events)
    assert known(case.answer("noise", "nypd").events) == before


def test_every_event_of_routing_gives_a_fact() -> None:
    events = [one for seed in range(60) for one in random_case(seed, seed).events if one.topic == REFERRALS.topic]
    assert all(facts_of(one.event, one.envelope) for one in events)


def test_every_fact_has_a_table_with_its_columns() -> None:
    for kind in FACTS:
        table = FACT_TABLES[kind]
        assert [column.name for column in table.columns] == [field.name for field in fields(kind)]
        assert [column.name for column in table.primary_key] == [kind.KEY]
