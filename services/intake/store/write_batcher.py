"""Group commit: reports that come in while others are being written share the next statement and its commit.

A report that comes in alone is written at once. Under load the cost of a round trip and of a commit is divided among
the reports of a batch; between batches the writer then pauses for as long as the last statement took, up to 2 ms, so
that the next batch is larger.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psycopg

from services.intake.store.new_cases import PendingCase, insert_cases
from shared.kit.database.database import TRANSIENT_ERRORS, Database

MAX_BATCH: Final = 64
MAX_PACING_DELAY_SECONDS: Final = 0.002

Batch = Sequence[tuple[PendingCase, "asyncio.Future[bool]"]]
"""Pending cases, each with the future that its caller awaits."""


class QueueFullError(Exception):
    """Too many reports wait to be written, or the database does not answer in time: the client should retry."""


UNAVAILABLE = (*TRANSIENT_ERRORS, QueueFullError)
"""The errors that mean that a report cannot be stored now; they are answered with 503 and Retry-After."""


@dataclass(slots=True)
class WriteBatcher:
    """Writes pending cases in the order in which they are submitted.

    At most `max_pending` of them wait, and each statement may take `timeout_seconds`; beyond that `submit` raises.
    """

    database: Database
    max_pending: int = 1000
    timeout_seconds: float = 10.0
    _pending: deque[tuple[PendingCase, asyncio.Future[bool]]] = field(default_factory=deque)
    _writer: asyncio.Task[None] | None = None

    async def submit(self, pending: PendingCase) -> bool:
        """Open a case; False when its key was used before. When this returns, the case is committed.

        Raises:
            QueueFullError: too many cases are pending, or the statement timed out: it may still be committed.
            psycopg.Error: the case was not written or, after a lost connection, may have been.
        """
        if len(self._pending) >= self.max_pending:
            raise QueueFullError
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pending.append((pending, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        """Write until nothing is pending. The writer task ends then; `submit` starts a new one."""
        try:
            await asyncio.sleep(0)  # requests that are being parsed at this moment join the first batch
            while batch := self._take():
                await self._write(batch)
        finally:
            # No await between the empty queue and this line: a case that is submitted later starts a new writer.
            self._writer = None

    def _take(self) -> Batch:
        """Take the next batch; cases whose caller was cancelled are dropped."""
        batch: list[tuple[PendingCase, asyncio.Future[bool]]] = []
        while self._pending and len(batch) < MAX_BATCH:
            pending, written = self._pending.popleft()
            if not written.done():
                batch.append((pending, written))
        return batch

    async def _write(self, batch: Batch, *, keep_connection: bool = True) -> None:
        """Write this batch and, on the same connection, those that follow it, until the queue is empty or one fails."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout_seconds) as timeout, self.database.statement() as connection:
                while batch:
                    began = loop.time()
                    opened = await insert_cases(connection, [pending for pending, _ in batch])
                    self.database.notify_commit()
                    _resolve(batch, opened)
                    delay = min(MAX_PACING_DELAY_SECONDS, loop.time() - began) if len(batch) > 1 else 0
                    await asyncio.sleep(delay)  # even without a delay the callers that were answered may submit again
                    timeout.reschedule(loop.time() + self.timeout_seconds)
                    batch = self._take() if keep_connection else ()
        except TimeoutError:
            _fail(batch, QueueFullError())
        except TRANSIENT_ERRORS as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - every error reaches the caller through the future
            if len(batch) == 1 or not isinstance(error, psycopg.Error):
                _fail(batch, error)
                return
            # PostgreSQL refused one of the cases: written one by one, only that one fails.
            for single in batch:
                await self._write([single], keep_connection=False)


def _resolve(batch: Batch, opened: Collection[UUID]) -> None:
    for pending, written in batch:
        if not written.done():
            written.set_result(pending.case.identity.case_id in opened)


def _fail(batch: Batch, error: BaseException) -> None:
    for _, written in batch:
        if not written.done():
            written.set_exception(error)
