"""Dead letters: messages that cannot succeed, set aside as they came, in a table and on a topic."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.events.topics import dead_letter_topic
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Record
from shared.kit.messaging.outbox import NOTIFY_SQL, SHARDS

REASON_HEADER_PREFIX: Final = "dl-"
"""How the names of the headers begin that say why a message is here."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that is set aside: why, by whom, and how often it was tried."""

    record: Record
    reason: str
    consumer: str
    tries: int = 1


_KEEP = """
    -- Keep the letter, and queue it for the dead-letter topic; a letter that we have already is left alone.
    WITH kept AS (
        INSERT INTO dead_letters (topic, partition, position, consumer, reason, tries, raw)
        VALUES (%(topic)s, %(partition)s, %(position)s, %(consumer)s, %(reason)s, %(tries)s, %(raw)s)
        ON CONFLICT DO NOTHING
        RETURNING raw
    )
    INSERT INTO outbox (shard, topic, raw) SELECT %(shard)s, %(to)s, raw FROM kept
"""


async def insert_dead_letters(tx: Transaction, service: str, letters: Sequence[DeadLetter]) -> int:
    """Set messages aside in this transaction; doing it again changes nothing. Returns how many were not so before."""
    async with tx.cursor() as cursor:
        await cursor.executemany(_KEEP, [_row(service, letter) for letter in letters])
        fresh = cursor.rowcount
        await cursor.execute(NOTIFY_SQL)
    return fresh


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
    """The message's own headers, and ours that say why it is here."""
    record = letter.record
    ours = {
        "reason": letter.reason,
        "consumer": letter.consumer,
        "tries": str(letter.tries),
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
    }
    return [*record.headers, *((REASON_HEADER_PREFIX + name, value.encode()) for name, value in ours.items())]


Raw = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""A message as it is on a topic: key, value and headers, of any bytes."""


def write_raw(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> bytes:
    """Write a message of any bytes as JSON."""
    pairs = [[name, _text(header)] for name, header in headers]
    return json.dumps({"key": _text(key), "value": _text(value), "headers": pairs}).encode()


def read_raw(raw: bytes) -> Raw:
    """Read what `write_raw` wrote."""
    found = json.loads(raw)
    return (
        _bytes(found["key"]),
        _bytes(found["value"]),
        [(name, _bytes(text) or b"") for name, text in found["headers"]],
    )


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
