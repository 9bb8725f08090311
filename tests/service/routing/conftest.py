"""Routing on a database of its own."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.servers.databases import OwnDatabase
from tests.service.routing.world import World


@pytest.fixture
async def world(database: OwnDatabase) -> AsyncIterator[World]:
    """Put routing together as its app does, without Kafka."""
    async with World.open(database) as opened:
        yield opened
