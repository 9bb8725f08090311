"""The tray's own order of things: whoever puts something in is never left waiting."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from services.intake.http.tray import WRITERS, Tray
from services.intake.store.filing import Entry
from shared.kit.database import Database


class PromptTray(Tray):
    """A tray whose entries are written at once."""

    async def _write(self, batch: Sequence[tuple[Entry, "asyncio.Future[bool]"]]) -> None:
        for _, written in batch:
            written.set_result(True)


async def test_a_report_that_comes_just_when_every_writer_has_ended_is_written() -> None:
    tray = PromptTray(cast("Database", None))
    entry = cast("Any", object())

    async def put_one_after_another() -> int:
        return sum([await tray.put(entry) for _ in range(3)])

    async with asyncio.timeout(5):
        written = await asyncio.gather(*(put_one_after_another() for _ in range(WRITERS)))

    assert written == [3] * WRITERS
