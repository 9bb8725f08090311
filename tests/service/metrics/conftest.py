"""The metrics service on a database of its own, or on one that many tests only read."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase
from tests.service.metrics.world import World


@pytest.fixture
async def world(database: OwnDatabase) -> AsyncIterator[World]:
    """Put metrics together as its app does, without Kafka."""
    async with World.open(database) as opened:
        yield opened


@pytest.fixture(scope="session")
def unheard_database(postgres_admin_url: str, template_database: str) -> Iterator[OwnDatabase]:
    """Give the tests that leave nothing behind one database between them."""
    with databases.own_database(postgres_admin_url, template_database) as own:
        yield own


@pytest.fixture
async def unheard(unheard_database: OwnDatabase) -> AsyncIterator[World]:
    """Put metrics together where nothing was ever heard, for a test that leaves it so."""
    async with World.open(unheard_database) as opened:
        yield opened
        kept = ("journey_entries", "spans", "stale_cases", "dead_letters", "inbox")
        assert not [table for table in kept if opened.query(f"SELECT FROM {table} LIMIT 1")]
