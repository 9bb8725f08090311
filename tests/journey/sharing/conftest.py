"""One city with all the cases, for every test of this folder."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.city import running_city
from tests.journey.sharing.emergencies import Access, open_some
from tests.journey.sharing.town import town
from tests.journey.sharing.world import CASES, SEED, World
from tests.topics_read import Record, read_all, topic_names

QUICK = "432000"
"""The sample agencies do five days' work in a second: every answer is waited for."""


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A city of its own, with all the cases filed, and nothing left to do."""
    print(f"seed {SEED}: HANDOFF_TEST_SEED={SEED} files the same again")  # noqa: T201 - shown when a test fails
    folder = town(tmp_path_factory.mktemp("sharing"))
    with running_city(HANDOFF_JURISDICTION=str(folder), HANDOFF_AGENCY_SPEED=QUICK) as city:
        made = World(city, folder, random.Random(SEED))
        made.file(CASES, SEED)
        made.settle()
        made.look_up()
        yield made


@pytest.fixture(scope="package", autouse=True)
def accesses(world: World) -> list[Access]:
    """What caseworkers have tried to open in emergencies, before anything is looked at."""
    made = open_some(world)
    world.settle()
    return made


@pytest.fixture(scope="package")
def records(world: World, accesses: list[Access]) -> list[Record]:
    """Everything that is on Kafka."""
    assert accesses

    async def read() -> list[Record]:
        kafka = world.city.state.kafka
        return await read_all(kafka, await topic_names(kafka))

    return asyncio.run(read())
