"""Facts come out the same in whatever order, and however often, their events are heard."""

import random
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.event_projection import facts_of
from services.metrics.domain.facts import FACTS, CaseFact, Fact, merge, merge_pair
from services.metrics.tables import FACT_TABLES
from shared.events.topics import REFERRALS
from tests.unit.metrics.stories import Said, Story, any_story

seeds = st.integers(min_value=0, max_value=10_000)


def known(said: list[Said]) -> dict[type[Fact], list[Fact]]:
    return merge(fact for one in said for fact in facts_of(one.event, one.envelope))


@given(seeds, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_of_a_cases_events_gives_the_same_facts(seed: int, chance: random.Random) -> None:
    said = any_story(1, seed).said
    repeated = said + chance.choices(said, k=len(said))
    chance.shuffle(repeated)
    assert known(repeated) == known(said)


@given(seeds, st.randoms(use_true_random=False))
def test_facts_joined_in_parts_are_the_facts_joined_at_once(seed: int, chance: random.Random) -> None:
    said = any_story(1, seed).said
    parts = [[one for one in said if chance.random() < 0.5] for _ in range(3)] + [said]
    in_parts = merge(fact for part in parts for facts in known(part).values() for fact in facts)
    assert in_parts == known(said)


def test_a_fact_joined_with_one_that_says_nothing_stays_as_it_is() -> None:
    story = Story(1).file()
    [case] = known(story.said)[CaseFact]
    assert (
        merge_pair(case, CaseFact(case_id=story.case_id)) == case == merge_pair(CaseFact(case_id=story.case_id), case)
    )


def test_an_agencys_own_words_are_no_fact_until_routing_has_applied_them() -> None:
    story = Story(1).file().route({"noise": "nypd"})
    before = known(story.said)
    assert known(story.answer("noise", "nypd").said) == before


def test_every_event_of_routing_tells_a_fact() -> None:
    heard = [one for seed in range(60) for one in any_story(seed, seed).said if one.topic == REFERRALS.topic]
    assert all(facts_of(one.event, one.envelope) for one in heard)


def test_every_fact_has_a_table_with_its_columns() -> None:
    for kind in FACTS:
        table = FACT_TABLES[kind]
        assert [column.name for column in table.columns] == [field.name for field in fields(kind)]
        assert [column.name for column in table.primary_key] == [kind.KEY]
