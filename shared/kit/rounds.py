"""One round of a relay: rows of the outbox are taken, asked about, and given to Kafka, in one transaction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import Final
from uuid import UUID

from aiokafka.errors import MessageSizeTooLargeError
from psycopg.rows import args_row

from shared.kit.database import Transaction
from shared.kit.dead_letters import write_raw
from shared.kit.outbox import SHARDS
from shared.kit.outbox_rows import COMMIT_TO_DISK, REFUSE, TAKE, WITHHOLD, Row, frame
from shared.kit.sending import Sending

log = logging.getLogger(__name__)

ROWS_OF_A_SHARD: Final = 64
MANY_ROWS: Final = 512

SHORTEST_REST_SECONDS, REST_SECONDS_FOR_A_ROW, LONGEST_REST_SECONDS = 0.02, 0.001, 0.1
"""Rows that were taken are followed by a rest, longer when many come; by none while there is a backlog."""

LONGEST_ROUND_SECONDS: Final = 0.1
"""After so long no more rows are taken: what was taken is committed once Kafka has it."""

Standing = Callable[[Transaction, Collection[UUID]], Awaitable[set[UUID]]]
"""Tells which of these things still stand, and keeps them standing until the transaction ends."""


class Round:
    """The rows that were `taken`; those that were `said`, but for those that Kafka `refused`, for ever.

    `is_last` when nothing was left; otherwise `rest` is due before the next round, in seconds.
    """

    def __init__(self, tx: Transaction, sending: Sending, standing: Standing | None) -> None:
        self._tx = tx
        self._sending = sending
        self._standing = standing
        self.taken: list[Row] = []
        self.said: list[Row] = []
        self.refused: list[Row] = []
        self.rest = 0.0
        self.is_last = False

    async def go(self, committed: asyncio.Event, longest: float = LONGEST_ROUND_SECONDS) -> None:
        """Take and send rows while more come, none of which waits until Kafka has those before; then wait for all.

        `committed` is cleared at each look: whatever sets it afterwards has not been seen.
        """
        until = monotonic() + longest
        while not self.is_last:
            committed.clear()
            rows = await self._take()
            await self._say(rows)
            self.is_last = not rows
            self.rest = _rest_after(len(rows))
            if not self.rest or monotonic() + self.rest > until or any(row.guards for row in rows):
                break
            await asyncio.sleep(self.rest)
        await self._sending.finish()

    async def _take(self) -> list[Row]:
        """Take the oldest rows out of the outbox, in order: it is undone if this transaction is."""
        async with self._tx.cursor(row_factory=args_row(Row), binary=True) as cursor:
            await cursor.execute(TAKE, (list(range(SHARDS)), ROWS_OF_A_SHARD))
            rows = sorted(await cursor.fetchall())
        self.taken += rows
        return rows

    async def _say(self, rows: Sequence[Row]) -> None:
        """Give rows to the producer; what Kafka will never take is set aside."""
        said = await self._said_still(rows)
        self.said += said
        for row in said:
            try:
                await self._sending.add(row)
            except MessageSizeTooLargeError:
                await self._refuse(row)
        await self._sending.hand_over()

    async def _said_still(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave out, and note, the rows that stand on something that has fallen; without a way to ask, all of them.

        What becomes of these rows is on the disk when the transaction has ended: it counts in what is recalled.
        """
        asked = {guard for row in rows for guard in row.guards or ()}
        if not asked:
            return rows
        await self._tx.execute(COMMIT_TO_DISK)
        stands = await self._standing(self._tx, asked) if self._standing else set()
        fallen = [row for row in rows if not stands.issuperset(row.guards or ())]
        for row in fallen:
            log.info("withheld, what it stood on has fallen: event %s", row.event_id)
            await self._tx.execute(WITHHOLD, row.noted())
        return [row for row in rows if row not in fallen]

    async def _refuse(self, row: Row) -> None:
        log.error("too large for Kafka, set aside: outbox row %d", row.id)
        message = frame(row, self._sending.source, row.traceparent)
        await self._tx.execute(REFUSE, (row.topic, row.id, write_raw(*message)))
        self.refused.append(row)


def _rest_after(rows: int) -> float:
    """Return the seconds to rest after so many rows; none when nothing came, or when more are waiting."""
    if not 0 < rows < MANY_ROWS:
        return 0.0
    return min(LONGEST_REST_SECONDS, max(SHORTEST_REST_SECONDS, rows * REST_SECONDS_FOR_A_ROW))
