"""Dead letters, a second time: listed, read, and worked on again when what stood in their way is gone.

A letter is worked on from the table in which it lies, by what set it aside, and nobody else hears it again. In one
transaction it takes effect, is noted in the inbox, and is settled; so doing it twice does no harm. It comes after
whatever was heard of its case since: to the handler it is a message that is late.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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
"""It took effect; it had taken effect before, and nothing was done; or somebody decided that it never shall."""

_COLUMNS = """number, topic, partition, position, consumer, reason, tries, created_at, settled_at, outcome, settled_by,
    raw, repaired"""

_LIST = f"""
    SELECT {_COLUMNS} FROM dead_letters
    WHERE number > %s AND (settled_at IS NULL OR %s) ORDER BY number LIMIT %s
"""  # noqa: S608 - the columns are ours

_FIND = f"SELECT {_COLUMNS} FROM dead_letters WHERE number = %s"  # noqa: S608 - the columns are ours

_LOCK = f"{_FIND} FOR UPDATE"

_SETTLE = """
    -- Note what became of a letter, who saw to it, and the value that it was given where that was repaired.
    UPDATE dead_letters SET settled_at = now(), outcome = %s, settled_by = %s, repaired = %s WHERE number = %s
"""

_FAILED = "UPDATE dead_letters SET tries = tries + 1, reason = %s WHERE number = %s"

_COUNT = "SELECT count(*) FROM (SELECT FROM dead_letters WHERE settled_at IS NULL LIMIT %s) AS waiting"


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """One message that was set aside: where it was read, by whom, why not, and what became of it."""

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
        """Return key, value and headers as they came, without the headers that say why it lies here."""
        key, value, headers = read_raw(self.raw)
        return key, value, [(name, said) for name, said in headers if not name.startswith(REASON_HEADER_PREFIX)]


class UnknownDeadLetterError(Exception):
    """There is no letter of that number."""


class RedriveFailedError(Exception):
    """A letter cannot be worked on; the text says why, without personal data."""


class DeadLetterQueue:
    """The dead letters of one service."""

    def __init__(self, database: Database, subscriptions: Sequence[Subscription]) -> None:
        self._database = database
        self._routes = subscriptions

    async def list_letters(self, after: int, limit: int, *, settled: bool = False) -> list[StoredDeadLetter]:
        """Return letters in the order in which they were set aside; those that are settled only if they are wanted."""
        async with (
            self._database.statement() as connection,
            connection.cursor(row_factory=class_row(StoredDeadLetter)) as cursor,
        ):
            await cursor.execute(_LIST, (after, settled, limit))
            return await cursor.fetchall()

    async def count_open(self, most: int) -> int:
        """Count the letters that nobody has settled, up to so many."""
        async with self._database.statement() as connection:
            row = await (await connection.execute(_COUNT, (most,))).fetchone()
        return int(row[0]) if row else 0

    async def find(self, number: int) -> StoredDeadLetter:
        """Return one letter.

        Raises:
            UnknownLetterError: there is none of that number.
        """
        async with self._database.statement() as connection:
            return await _one(connection, _FIND, number)

    async def redrive(self, number: int, by: str, value: bytes | None = None) -> StoredDeadLetter:
        """Work on a letter again, with another value if one is given; one that is settled is left as it is.

        Raises:
            UnknownLetterError: there is none of that number.
            StillFailingError: it cannot be worked on, or it failed again; it lies where it lay.
        """
        try:
            async with self._database.transaction() as tx:
                letter = await _one(tx, _LOCK, number)
                if letter.settled_at is None:
                    outcome = await self._work(tx, letter, value)
                    await tx.execute(_SETTLE, (outcome, by, value, number))
                    log.info("dead letter %d was worked on again: %s", number, outcome)
        except (UnknownDeadLetterError, RedriveFailedError, *TRANSIENT_ERRORS):
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, MalformedMessageError) else type(error).__name__
            log.exception("dead letter %d failed again", number)
            async with self._database.transaction() as tx:
                await tx.execute(_FAILED, (reason, number))
            raise RedriveFailedError(f"It failed again: {reason}.") from error
        return await self.find(number)

    async def dismiss(self, number: int, by: str) -> StoredDeadLetter:
        """Decide that a letter shall never take effect; one that is settled is left as it is.

        Raises:
            UnknownLetterError: there is none of that number.
        """
        async with self._database.transaction() as tx:
            letter = await _one(tx, _LOCK, number)
            if letter.settled_at is None:
                await tx.execute(_SETTLE, ("dismissed", by, None, number))
        return await self.find(number)

    async def _work(self, tx: Transaction, letter: StoredDeadLetter, value: bytes | None) -> Outcome:
        subscription = self._route_of(letter)
        message = decode_record(
            subscription.spec, _record(letter, value), ignore_unknown_types=subscription.ignore_unknown_types
        )
        batch = deduplicate([message], await inbox.record_new(tx, [message.identity]))
        if not batch:
            return "known"
        await subscription.handler(batch, tx)
        return "done"

    def _route_of(self, letter: StoredDeadLetter) -> Subscription:
        for subscription in self._routes:
            if subscription.group == letter.consumer and subscription.spec.source_of(letter.topic):
                return subscription
        raise RedriveFailedError(
            f"Nothing in this service reads {letter.topic} as {letter.consumer}: it can be read and dismissed only."
        )


async def _one(tx: Transaction, query: str, number: int) -> StoredDeadLetter:
    async with tx.cursor(row_factory=class_row(StoredDeadLetter)) as cursor:
        letter = await (await cursor.execute(query, (number,))).fetchone()
    if letter is None:
        raise UnknownDeadLetterError
    return letter


def _record(letter: StoredDeadLetter, value: bytes | None) -> Record:
    """Make the record that was read, as far as it is known."""
    key, found, headers = letter.message()
    given = found if value is None else value
    return ConsumerRecord(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.position,
        timestamp=int(letter.created_at.timestamp() * 1000),
        timestamp_type=0,
        key=key,
        value=given,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(given or b""),
        headers=headers,
    )
