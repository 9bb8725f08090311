"""One city with all the cases, for every test of this folder."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from tests.city import running_city
from tests.journey.disclosures.canary_city import make_city
from tests.journey.disclosures.emergencies import Access, open_some
from tests.journey.disclosures.harness import CASES, SEED, DisclosureHarness
from tests.kafka_contents import Record, read_all, topic_names

QUICK = "432000"
"""The sample agencies do five days' work in a second: every answer is waited for."""


@pytest.fixture(scope="package")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DisclosureHarness]:
    """A city of its own, with all the cases filed, and nothing left to do."""
    print(f"seed {SEED}: HANDOFF_TEST_SEED={SEED} files the same again")  # noqa: T201 - shown when a test fails
    folder = make_city(tmp_path_factory.mktemp("sharing"))
    with running_city(HANDOFF_JURISDICTION=str(folder), HANDOFF_AGENCY_SPEED=QUICK) as city:
        made = DisclosureHarness(city, folder, random.Random(SEED))
        made.file(CASES, SEED)
        made.settle()
        made.look_up()
        yield made


@pytest.fixture(scope="package", autouse=True)
def accesses(harness: DisclosureHarness) -> list[Access]:
    """What caseworkers have tried to open in emergencies, before anything is looked at."""
    made = open_some(harness)
    harness.settle()
    return made


@pytest.fixture(scope="package")
def records(harness: DisclosureHarness, accesses: list[Access]) -> list[Record]:
    """Everything that is on Kafka."""
    assert accesses

    async def read() -> list[Record]:
        kafka = harness.city.state.kafka
        return await read_all(kafka, await topic_names(kafka))

    return asyncio.run(read())
