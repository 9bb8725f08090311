"""The write batcher: reports that come in while others are being written share the next statement and its commit.

Nobody waits for company: a report that comes in alone is written at once. Under load the cost of a round trip and of
a commit is divided among those who wait anyway; the writer rests between statements then, so that more of them do.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from services.intake.store.new_cases import PendingCase, open_cases
from shared.kit.database.database import TRANSIENT_ERRORS, Database

MOST_AT_ONCE = 64
LONGEST_REST_SECONDS = 0.002

Batch = Sequence[tuple[PendingCase, "asyncio.Future[bool]"]]
"""Entries, and the promise that each of them has been written."""


class QueueFullError(Exception):
    """More reports wait than can be written soon, or the database does not answer: come again."""


BUSY = (*TRANSIENT_ERRORS, QueueFullError)
"""Why a report cannot be kept at the moment."""


@dataclass(slots=True)
class WriteBatcher:
    """Takes entries in, and writes them in the order in which they came.

    `most_waiting` entries wait at most, and a statement has `patience` seconds: else whoever waits is to come again.
    """

    database: Database
    most_waiting: int = 1000
    patience: float = 10.0
    _waiting: deque[tuple[PendingCase, asyncio.Future[bool]]] = field(default_factory=deque)
    _writer: asyncio.Task[None] | None = None

    async def submit(self, entry: PendingCase) -> bool:
        """Open a case; False when its key was used before. When this returns, all of it is on disk.

        Raises:
            TrayFullError: too many wait, or it has waited too long: it may still be written.
            psycopg.Error: it was not written, or nobody knows whether it was.
        """
        if len(self._waiting) >= self.most_waiting:
            raise QueueFullError
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        """Write until nothing waits; the writer is gone as soon as it looks no more: the next entry calls another."""
        try:
            await asyncio.sleep(0)  # those that are being read at this moment come along
            while batch := self._take():
                await self._write_on(batch)
        finally:
            self._writer = None

    def _take(self) -> Batch:
        """Take what waits, as far as it goes into one statement; nobody waits any more for what is done."""
        batch: list[tuple[PendingCase, asyncio.Future[bool]]] = []
        while self._waiting and len(batch) < MOST_AT_ONCE:
            entry, written = self._waiting.popleft()
            if not written.done():
                batch.append((entry, written))
        return batch

    async def _write_on(self, batch: Batch, *, go_on: bool = True) -> None:
        """Write this batch, and those that come meanwhile, on one connection: until nothing waits, or one fails."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.patience) as patience, self.database.statement() as connection:
                while batch:
                    began = loop.time()
                    opened = await open_cases(connection, [entry for entry, _ in batch])
                    self.database.notify_commit()
                    _answer(batch, opened)
                    rest = min(LONGEST_REST_SECONDS, loop.time() - began) if len(batch) > 1 else 0
                    await asyncio.sleep(rest)  # whoever asks next comes along
                    patience.reschedule(loop.time() + self.patience)
                    batch = self._take() if go_on else ()
        except TimeoutError:
            _fail(batch, QueueFullError())
        except TRANSIENT_ERRORS as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            if len(batch) == 1 or not isinstance(error, psycopg.Error):
                _fail(batch, error)
                return
            for single in batch:
                await self._write_on([single], go_on=False)


def _answer(batch: Batch, opened: Collection[UUID]) -> None:
    for entry, written in batch:
        if not written.done():
            written.set_result(entry.case.identity.case_id in opened)


def _fail(batch: Batch, error: BaseException) -> None:
    for _, written in batch:
        if not written.done():
            written.set_exception(error)
