"""Routing on a database of its own."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.servers.databases import OwnDatabase
from tests.service.routing.harness import RoutingHarness


@pytest.fixture
async def harness(database: OwnDatabase) -> AsyncIterator[RoutingHarness]:
    """Put routing together as its app does, without Kafka."""
    async with RoutingHarness.open(database) as opened:
        yield opened
