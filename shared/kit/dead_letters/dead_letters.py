"""Dead letters: messages that cannot be processed, or not be sent, stored as they came, in a table and on a topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.events.topics import dead_letter_topic
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Record
from shared.kit.messaging.outbox import ENQUEUE_RAW_SQL, NOTIFY_SQL, SHARDS
from shared.kit.messaging.raw import write_raw

REASON_HEADER_PREFIX: Final = "dl-"
"""The prefix of the headers that say why a message is a dead letter; its own headers stay beside them."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message to store as a dead letter: the reason, the consumer group that read it, and its attempts."""

    record: Record
    reason: str
    consumer: str
    tries: int = 1


_INSERT_SQL: Final = f"""
    -- Store the message, and enqueue it for the dead-letter topic. A dead letter that is stored already stays as it is.
    WITH stored AS (
        INSERT INTO dead_letters (topic, partition, position, consumer, reason, tries, raw)
        VALUES (%(topic)s, %(partition)s, %(position)s, %(consumer)s, %(reason)s, %(tries)s, %(raw)s)
        ON CONFLICT DO NOTHING
        RETURNING raw
    ), raw_messages AS (
        SELECT %(shard)s::smallint AS shard, %(to)s AS topic, raw FROM stored
    )
    {ENQUEUE_RAW_SQL}
"""  # noqa: S608 - no value is in it

_INSERT_OVERSIZED_SQL: Final = """
    -- Store an event that Kafka refuses for its size. It stays here only: the dead-letter topic would refuse it, too.
    INSERT INTO dead_letters (topic, partition, position, consumer, reason, raw)
    VALUES (%s, -1, %s, 'relay', 'MessageSizeTooLarge', %s)
"""


async def insert_dead_letters(tx: Transaction, service: str, letters: Sequence[DeadLetter]) -> int:
    """Store messages as dead letters in this transaction; return how many were not stored before."""
    async with tx.cursor() as cursor:
        await cursor.executemany(_INSERT_SQL, [_row(service, letter) for letter in letters])
        inserted = cursor.rowcount
        await cursor.execute(NOTIFY_SQL)
    return inserted


async def insert_oversized_event(tx: Transaction, topic: str, outbox_id: int, raw: bytes) -> None:
    """Store an event that is too large for Kafka as a dead letter of the relay; `raw` is what `write_raw` returns."""
    await tx.execute(_INSERT_OVERSIZED_SQL, (topic, outbox_id, raw))


def _row(service: str, letter: DeadLetter) -> dict[str, object]:
    record = letter.record
    return {
        "topic": record.topic,
        "partition": record.partition,
        "position": record.offset,
        "consumer": letter.consumer,
        "reason": letter.reason,
        "tries": letter.tries,
        "raw": write_raw(record.key, record.value, _headers(letter)),
        "shard": record.offset % SHARDS,
        "to": dead_letter_topic(service),
    }


def _headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """Return the message's own headers, and those that say why it is a dead letter."""
    record = letter.record
    reasons = {
        "reason": letter.reason,
        "consumer": letter.consumer,
        "tries": str(letter.tries),
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
    }
    return [*record.headers, *((REASON_HEADER_PREFIX + name, text.encode()) for name, text in reasons.items())]
