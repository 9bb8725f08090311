"""The tray: reports that come in while others are being written share the next statement and its commit.

Nobody waits for company: a report that comes in alone is written at once. Under load the cost of a round trip and of
a commit is divided among those who wait anyway.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import psycopg

from services.intake.store.filing import Entry, open_cases
from shared.kit.database import AWAY, Database

WRITERS = 2
"""Statements under way at once: while the disk confirms one, the next is worked on."""

MOST_AT_ONCE = 64


class TrayFullError(Exception):
    """More reports wait than can be written soon, or the database does not answer: come again."""


BUSY = (*AWAY, TrayFullError)
"""Why a report cannot be kept at the moment."""


@dataclass(slots=True)
class Tray:
    """Takes entries in, and writes them in the order in which they came.

    `most_waiting` entries wait at most, and a statement has `patience` seconds: else whoever waits is to come again.
    """

    database: Database
    most_waiting: int = 1000
    patience: float = 10.0
    _waiting: deque[tuple[Entry, asyncio.Future[bool]]] = field(default_factory=deque)
    _writers: set[asyncio.Task[None]] = field(default_factory=set)

    async def put(self, entry: Entry) -> bool:
        """Open a case; False when its key was used before. When this returns, all of it is on disk.

        Raises:
            TrayFullError: too many wait, or it has waited too long: it may still be written.
            psycopg.Error: it was not written, or nobody knows whether it was.
        """
        if len(self._waiting) >= self.most_waiting:
            raise TrayFullError
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if len(self._writers) < WRITERS:
            self._writers.add(asyncio.create_task(self._write_all()))
        return await written

    async def _write_all(self) -> None:
        """Write until nothing waits; a writer is gone as soon as it looks no more: the next entry calls another."""
        try:
            await asyncio.sleep(0)  # those that are being read at this moment come along
            while self._waiting:
                taken = (self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE)))
                batch = [(entry, written) for entry, written in taken if not written.done()]
                if batch:
                    await self._write(batch)
        finally:
            self._writers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _write(self, batch: Sequence[tuple[Entry, asyncio.Future[bool]]]) -> None:
        """Write a batch; when it fails for another reason than an absence, write each entry by itself."""
        try:
            async with asyncio.timeout(self.patience), self.database.statement() as connection:
                opened = await open_cases(connection, [entry for entry, _ in batch])
        except TimeoutError:
            _fail(batch, TrayFullError())
        except AWAY as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            if len(batch) == 1 or not isinstance(error, psycopg.Error):
                _fail(batch, error)
                return
            for single in batch:
                await self._write([single])
        else:
            for entry, written in batch:
                if not written.done():
                    written.set_result(entry.filing.identity.case_id in opened)


def _fail(batch: Sequence[tuple[Entry, asyncio.Future[bool]]], error: BaseException) -> None:
    for _, written in batch:
        if not written.done():
            written.set_exception(error)
