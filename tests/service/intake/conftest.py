"""Intake on a database of its own."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.servers.databases import OwnDatabase
from tests.service.intake.harness import IntakeHarness


@pytest.fixture
async def harness(database: OwnDatabase) -> AsyncIterator[IntakeHarness]:
    """Put intake together as its app does, without Kafka."""
    async with IntakeHarness.open(database) as opened:
        yield opened
