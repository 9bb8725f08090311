"""Transactions of tasks that are cancelled."""

import asyncio
from contextlib import suppress

import pytest

from shared.kit.database.database import Database
from tests.eventually import PATIENCE_SECONDS

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("way", ["transaction", "statement"])
async def test_a_task_that_swallowed_its_cancellation_begins_no_transaction(kit: Database, way: str) -> None:
    done, may_go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        while True:
            async with getattr(kit, way)() as connection:
                await connection.execute("INSERT INTO effects DEFAULT VALUES")
            done.set()
            with suppress(asyncio.CancelledError):  # as asyncio.wait_for does before Python 3.12
                await may_go_on.wait()

    task = asyncio.create_task(work())
    await done.wait()
    task.cancel()
    may_go_on.set()
    await asyncio.wait([task], timeout=PATIENCE_SECONDS)
    assert task.cancelled()
    async with kit.statement() as connection:
        assert await (await connection.execute("SELECT count(*) FROM effects")).fetchone() == (1,)
