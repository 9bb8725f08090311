"""The dead-letter queue of one service: list dead letters, redrive them, dismiss them.

A dead letter is redriven from the table, by the subscription that failed; no other consumer gets it again. One
transaction applies it, records it in the inbox and settles it, so a second redrive has no effect. Messages of its case
have been processed since: to the handler it is a message that comes late.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from aiokafka import ConsumerRecord
from psycopg.rows import class_row

from shared.events.wire import MalformedMessageError
from shared.kit.database.database import TRANSIENT_ERRORS, Database, Transaction
from shared.kit.dead_letters.dead_letters import REASON_HEADER_PREFIX
from shared.kit.messaging import inbox
from shared.kit.messaging.messages import Record, Subscription, decode_record, deduplicate
from shared.kit.messaging.raw import RawMessage, read_raw

log = logging.getLogger(__name__)

Outcome = Literal["done", "known", "dismissed"]
"""Processed now; processed before, so that nothing was done; or an operator decided that it never shall be."""

_COLUMNS: Final = """number, topic, partition, position, consumer, reason, tries, created_at, settled_at, outcome,
    settled_by, raw, repaired"""

_LIST_SQL: Final = f"""
    SELECT {_COLUMNS} FROM dead_letters
    WHERE number > %s AND (settled_at IS NULL OR %s) ORDER BY number LIMIT %s
"""  # noqa: S608 - no value is in it

_FIND_SQL: Final = f"SELECT {_COLUMNS} FROM dead_letters WHERE number = %s"  # noqa: S608 - no value is in it

_LOCK_SQL: Final = f"{_FIND_SQL} FOR UPDATE"

_SETTLE_SQL: Final = """
    -- Record the outcome of a dead letter, the operator, and the repaired value if there was one.
    UPDATE dead_letters SET settled_at = now(), outcome = %s, settled_by = %s, repaired = %s WHERE number = %s
"""

_COUNT_ATTEMPT_SQL: Final = "UPDATE dead_letters SET tries = tries + 1, reason = %s WHERE number = %s"

_COUNT_OPEN_SQL: Final = "SELECT count(*) FROM (SELECT FROM dead_letters WHERE settled_at IS NULL LIMIT %s) AS open"


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """One dead letter: where it was read, by which consumer group, why it failed, and its outcome."""

    number: int
    topic: str
    partition: int
    position: int
    consumer: str
    reason: str
    tries: int
    created_at: datetime
    settled_at: datetime | None
    outcome: Outcome | None
    settled_by: str | None
    raw: bytes
    repaired: bytes | None

    def message(self) -> RawMessage:
        """Return key, value and headers as they came, without the headers that say why it is a dead letter."""
        key, value, headers = read_raw(self.raw)
        return key, value, [(name, text) for name, text in headers if not name.startswith(REASON_HEADER_PREFIX)]


class UnknownDeadLetterError(Exception):
    """There is no dead letter of that number."""


class RedriveFailedError(Exception):
    """A dead letter cannot be processed, or failed again; the text says why, without personal data."""


class DeadLetterQueue:
    """The dead letters of one service."""

    def __init__(self, database: Database, subscriptions: Sequence[Subscription]) -> None:
        self._database = database
        self._subscriptions = subscriptions

    async def list_letters(self, after: int, limit: int, *, settled: bool = False) -> list[StoredDeadLetter]:
        """Return dead letters with numbers above `after`, in order; with `settled`, settled ones, too."""
        async with (
            self._database.statement() as connection,
            connection.cursor(row_factory=class_row(StoredDeadLetter)) as cursor,
        ):
            await cursor.execute(_LIST_SQL, (after, settled, limit))
            return await cursor.fetchall()

    async def count_open(self, limit: int) -> int:
        """Return the number of dead letters that are not settled; counting stops at the limit."""
        async with self._database.statement() as connection:
            row = await (await connection.execute(_COUNT_OPEN_SQL, (limit,))).fetchone()
        return int(row[0]) if row else 0

    async def find(self, number: int) -> StoredDeadLetter:
        """Return one dead letter.

        Raises:
            UnknownDeadLetterError: there is none of that number.
        """
        async with self._database.statement() as connection:
            return await _get(connection, _FIND_SQL, number)

    async def redrive(self, number: int, by: str, value: bytes | None = None) -> StoredDeadLetter:
        """Process a dead letter again, with another value if one is given; a settled one stays as it is.

        Raises:
            UnknownDeadLetterError: there is none of that number.
            RedriveFailedError: it cannot be processed, or failed again; it stays in the queue.
        """
        try:
            async with self._database.transaction() as tx:
                letter = await _get(tx, _LOCK_SQL, number)
                if letter.settled_at is None:
                    outcome = await self._process(tx, letter, value)
                    await tx.execute(_SETTLE_SQL, (outcome, by, value, number))
                    log.info("dead letter %d redriven: %s", number, outcome)
        except (UnknownDeadLetterError, RedriveFailedError, *TRANSIENT_ERRORS):
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, MalformedMessageError) else type(error).__name__
            log.exception("dead letter %d failed again", number)
            async with self._database.transaction() as tx:
                await tx.execute(_COUNT_ATTEMPT_SQL, (reason, number))
            raise RedriveFailedError(f"It failed again: {reason}.") from error
        return await self.find(number)

    async def dismiss(self, number: int, by: str) -> StoredDeadLetter:
        """Settle a dead letter without processing it; a settled one stays as it is.

        Raises:
            UnknownDeadLetterError: there is none of that number.
        """
        async with self._database.transaction() as tx:
            letter = await _get(tx, _LOCK_SQL, number)
            if letter.settled_at is None:
                await tx.execute(_SETTLE_SQL, ("dismissed", by, None, number))
        return await self.find(number)

    async def _process(self, tx: Transaction, letter: StoredDeadLetter, value: bytes | None) -> Outcome:
        subscription = self._subscription_of(letter)
        message = decode_record(
            subscription.spec, _record(letter, value), ignore_unknown_types=subscription.ignore_unknown_types
        )
        batch = deduplicate([message], await inbox.record_new(tx, [message.identity]))
        if not batch:
            return "known"
        await subscription.handler(batch, tx)
        return "done"

    def _subscription_of(self, letter: StoredDeadLetter) -> Subscription:
        for subscription in self._subscriptions:
            if subscription.group == letter.consumer and subscription.spec.source_of(letter.topic):
                return subscription
        raise RedriveFailedError(
            f"Nothing in this service reads {letter.topic} as {letter.consumer}: it can be read and dismissed only."
        )


async def _get(tx: Transaction, query: str, number: int) -> StoredDeadLetter:
    async with tx.cursor(row_factory=class_row(StoredDeadLetter)) as cursor:
        letter = await (await cursor.execute(query, (number,))).fetchone()
    if letter is None:
        raise UnknownDeadLetterError
    return letter


def _record(letter: StoredDeadLetter, value: bytes | None) -> Record:
    """Return the record as it was read, as far as it is known, with another value if one is given."""
    key, stored, headers = letter.message()
    sent = stored if value is None else value
    return ConsumerRecord(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.position,
        timestamp=int(letter.created_at.timestamp() * 1000),
        timestamp_type=0,
        key=key,
        value=sent,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(sent or b""),
        headers=headers,
    )
