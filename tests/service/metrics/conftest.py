"""The metrics service on a database of its own, or on one that many tests only read."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase
from tests.service.metrics.harness import MetricsHarness


@pytest.fixture
async def harness(database: OwnDatabase) -> AsyncIterator[MetricsHarness]:
    """Build metrics as its app does, without Kafka."""
    async with MetricsHarness.open(database) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty_database(postgres_admin_url: str, template_database: str) -> Iterator[OwnDatabase]:
    """Give one database to the tests that leave nothing behind."""
    with databases.own_database(postgres_admin_url, template_database) as own:
        yield own


@pytest.fixture
async def empty(empty_database: OwnDatabase) -> AsyncIterator[MetricsHarness]:
    """Build metrics without any event, for a test that adds none."""
    async with MetricsHarness.open(empty_database) as opened:
        yield opened
        kept = ("journey_entries", "spans", "stale_cases", "dead_letters", "inbox")
        assert not [table for table in kept if opened.query(f"SELECT FROM {table} LIMIT 1")]
