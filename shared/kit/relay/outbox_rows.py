"""Rows of the outbox as a relay takes them, and how each is framed for Kafka."""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from shared.events.wire import schema_uri
from shared.kit.dead_letters.dead_letters import Raw, read_raw

CLAIM_SQL = """
    -- Lock the shards that no other relay holds, until the end of this transaction, and take their oldest rows out.
    -- A relay that let a shard go after this statement began may have taken some of these: those are passed over.
    -- Its commit does not wait for the disk: what is there again after a crash is sent again, with the same ids.
    WITH hasty AS MATERIALIZED (
        SELECT set_config('synchronous_commit', 'off', true)
    ), held AS MATERIALIZED (
        SELECT shard FROM hasty, unnest(%s::int[]) AS shard
        WHERE pg_try_advisory_xact_lock(hashtext(current_schema() || '_outbox'), shard)
    ), oldest AS (
        SELECT waiting.id FROM held
        CROSS JOIN LATERAL (SELECT id FROM outbox WHERE outbox.shard = held.shard ORDER BY id LIMIT %s) AS waiting
    )
    DELETE FROM outbox USING oldest WHERE outbox.id = oldest.id
    RETURNING outbox.id, topic, case_id::text, event_id::text, event_type, happened_at, classification,
        causation_id::text, sequence, traceparent, value, raw, guards
"""

SYNCHRONOUS_COMMIT_SQL = """
    -- Let the commit of this transaction wait for the disk as others do.
    SET LOCAL synchronous_commit TO DEFAULT
"""

REJECT_SQL = """
    -- Set aside what Kafka will never take: it stays here, where an operator finds it.
    INSERT INTO dead_letters (topic, partition, position, consumer, reason, raw)
    VALUES (%s, -1, %s, 'relay', 'MessageSizeTooLarge', %s)
"""

WITHHOLD_SQL = """
    -- Keep a note of what is not said because something that it stood on has fallen; what it would have said is gone.
    INSERT INTO outbox_withheld (event_id, topic, case_id, event_type, sequence, guards) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""

OLDEST_SQL = "SELECT extract(epoch FROM now() - created_at)::float FROM outbox ORDER BY id LIMIT 1"


class OutboxRow(NamedTuple):
    """One row of the outbox; its ids are text, as they are sent."""

    id: int
    topic: str
    case_id: str | None
    event_id: str | None
    event_type: str | None
    happened_at: str | None
    classification: str | None
    causation_id: str | None
    sequence: int | None
    traceparent: str | None
    value: str | None
    raw: bytes | None
    required_consents: list[UUID] | None = None

    def noted(self) -> tuple[object, ...]:
        """Return what is kept of it when it is withheld."""
        return self.event_id, self.topic, self.case_id, self.event_type, self.sequence, self.required_consents


def frame(row: OutboxRow, source: bytes, traceparent: str | None) -> Raw:
    """Return key, value and headers: CloudEvents in binary mode, or as they came for a dead letter."""
    if row.raw is not None:
        return read_raw(row.raw)
    case_id = (row.case_id or "").encode()
    event_type, schema, classification = _kind(row.topic, row.event_type or "", row.classification or "")
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", (row.event_id or "").encode()),
        event_type,
        ("ce_source", source),
        ("ce_subject", case_id),
        ("ce_time", (row.happened_at or "").encode()),
        schema,
        classification,
        ("ce_causationid", (row.causation_id or "").encode()),
        ("ce_sequence", str(row.sequence).encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return case_id, (row.value or "").encode(), headers


Header = tuple[str, bytes]


@lru_cache(1024)
def _kind(topic: str, event_type: str, classification: str) -> tuple[Header, Header, Header]:
    """Return the headers that all events of a kind share."""
    return (
        ("ce_type", event_type.encode()),
        ("ce_dataschema", schema_uri(topic, event_type).encode()),
        ("ce_dataclassification", classification.encode()),
    )
