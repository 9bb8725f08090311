"""Messages as intake writes them, and handlers that leave something to count."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import ConsumerRecord

from shared.events.intake import CaseWithdrawn
from shared.events.topics import CASES
from shared.events.wire import schema_uri
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Batch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(offset: int, value: bytes | None = None, **headers: str) -> ConsumerRecord[bytes, bytes]:
    """Make a record as intake would write it, but for what the caller says."""
    event = CaseWithdrawn(case_id=uuid4(), withdrawn_at=NOW)
    found = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": event.type,
        "ce_source": "/services/intake",
        "ce_subject": str(event.case_id),
        "ce_time": NOW.isoformat(),
        "ce_dataschema": schema_uri(CASES.topic, event.type),
        "ce_dataclassification": "internal",
        "ce_sequence": "1",
    } | headers
    return ConsumerRecord(
        topic=CASES.topic,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=str(event.case_id).encode(),
        value=value if value is not None else event.model_dump_json().encode(),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=[(name, text.encode()) for name, text in found.items()],
    )


async def count(batch: Batch[Any], tx: Transaction) -> None:
    """Leave one row for each message."""
    async with tx.cursor() as cursor:
        await cursor.executemany("INSERT INTO effects (event_id) VALUES (%s)", [(m.envelope.id,) for m in batch])


def failing_on(*poison: UUID) -> Any:
    """Count, but fail whenever one of these is in the batch."""

    async def handler(batch: Batch[Any], tx: Transaction) -> None:
        await count(batch, tx)
        if any(message.envelope.id in poison for message in batch):
            raise ArithmeticError

    return handler


async def effects(database: Database) -> list[UUID]:
    """List what was done, in order."""
    async with database.statement() as connection:
        rows = await connection.execute("SELECT event_id FROM effects ORDER BY id")
        return [row[0] for row in await rows.fetchall()]


def ids(records: Sequence[ConsumerRecord[bytes, bytes]]) -> list[UUID]:
    """Return the event ids of records."""
    return [UUID(dict(r.headers)["ce_id"].decode()) for r in records]
