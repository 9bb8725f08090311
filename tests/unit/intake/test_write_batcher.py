"""The write batcher answers every caller, whatever the order in which they come and leave."""

import asyncio
from typing import Any, cast

from services.intake.store.write_batcher import MAX_BATCH, Batch, WriteBatcher
from shared.kit.database.database import Database


class PromptBatcher(WriteBatcher):
    """A write batcher that answers at once, without a database."""

    async def _write(self, batch: Batch, *, keep_connection: bool = True) -> None:  # noqa: ARG002 - declared so by the batcher
        for _, written in batch:
            written.set_result(True)


async def test_a_report_that_comes_just_when_the_writer_has_ended_is_written() -> None:
    batcher = PromptBatcher(cast("Database", None))
    entry = cast("Any", object())

    async def put_one_after_another() -> int:
        return sum([await batcher.submit(entry) for _ in range(3)])

    async with asyncio.timeout(5):
        written = tuple(await asyncio.gather(put_one_after_another(), put_one_after_another()))

    assert written == (3, 3)


async def test_a_report_behind_many_whose_callers_were_cancelled_is_written() -> None:
    batcher = PromptBatcher(cast("Database", None))
    entry = cast("Any", object())
    given_up = [asyncio.create_task(batcher.submit(entry)) for _ in range(2 * MAX_BATCH)]
    last = asyncio.create_task(batcher.submit(entry))
    asyncio.get_running_loop().call_soon(lambda: [task.cancel() for task in given_up])

    async with asyncio.timeout(5):
        assert await last
