"""The outbox: events that a service publishes, written in the transaction that made them true.

This is the only module that inserts rows into the table `outbox` or deletes them. A use case enqueues events; the relay
claims their rows in order, under the lock of their shard; an event that requires a revoked consent is withheld.

Statements that write more than events take the SQL of this module as common table expressions, so that a batch is
still one statement and one round trip.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from orjson import Fragment
from psycopg.rows import args_row

from shared.events.event import Event
from shared.events.wire import event_id, write_time
from shared.kit.database.database import Transaction
from shared.kit.database.rows import Row, array_literal, rows_to_json

SHARDS: Final = 16
"""Each case belongs to one shard; one relay at a time publishes the rows of a shard."""

NOTIFY_SQL: Final = """
    -- Notify a relay only while one sleeps, which it shows by holding this lock exclusively (see listen): NOTIFY takes
    -- a lock of the whole database cluster in every commit.
    SELECT pg_notify(current_schema() || '_outbox', '')
    WHERE NOT pg_try_advisory_xact_lock_shared(hashtext(current_schema() || '_outbox_sleeps'), 0)
"""

_LISTEN_SQL: Final = 'LISTEN "{}_outbox"'

_SLEEP_LOCK_SQL: Final = "SELECT pg_try_advisory_lock(hashtext(current_schema() || '_outbox_sleeps'), 0)"

ENQUEUE_SQL: Final = f"""
    -- Number the events of each case in each topic, and enqueue them in that order. The counter's row stays locked
    -- until the commit, so that two writers of one case get numbers and ids in the order in which they commit.
    events AS (
        SELECT * FROM json_to_recordset(%(events)s::json) AS events (ordinal integer, behind integer, shard smallint,
            topic text, case_id uuid, event_id uuid, event_type text, happened_at text, classification text,
            causation_id uuid, traceparent text, value json, guards uuid[])
    ), numbered AS (
        INSERT INTO outbox_sequences AS s (topic, case_id, last)
        SELECT topic, case_id, count(*) FROM events GROUP BY topic, case_id ORDER BY topic, case_id
        ON CONFLICT (topic, case_id) DO UPDATE SET last = s.last + excluded.last
        RETURNING topic, case_id, last
    ), enqueued AS (
        INSERT INTO outbox (shard, topic, case_id, event_id, event_type, happened_at, classification,
            causation_id, traceparent, value, guards, sequence)
        SELECT shard, topic, case_id, event_id, event_type, happened_at, classification, causation_id, traceparent,
            value::text, guards, last - behind
        FROM events JOIN numbered USING (topic, case_id)
        ORDER BY ordinal
    ), notified AS ({NOTIFY_SQL})
"""  # noqa: S608 - no value is in it
"""Enqueues `%(events)s`, which `events_to_json` writes: `WITH ..., {ENQUEUE_SQL} SELECT count(*) FROM notified`.

The final SELECT must read `notified`: PostgreSQL does not run a SELECT in a WITH clause that nothing reads.
"""

ENQUEUE_FIRST_SQL: Final = f"""
    numbered AS (
        INSERT INTO outbox_sequences (topic, case_id, last) SELECT topic, case_id, 1 FROM first_events
    ), enqueued AS (
        INSERT INTO outbox (sequence, topic, shard, case_id, event_id, event_type, happened_at, classification,
            causation_id, traceparent, value)
        SELECT 1, topic, shard, case_id, event_id, event_type, happened_at, classification, causation_id, traceparent,
            value
        FROM first_events
    ), notified AS ({NOTIFY_SQL})
"""  # noqa: S608 - no value is in it
"""Enqueues the first event of each of some new cases, which needs no counter: `first_events` is a common table
expression of the caller, with the columns that are read here. The final SELECT must read `notified`."""

ENQUEUE_RAW_SQL: Final = "INSERT INTO outbox (shard, topic, raw) SELECT shard, topic, raw FROM raw_messages"
"""Enqueues messages of any bytes: `raw_messages` is a common table expression of the caller. NOTIFY_SQL must follow."""

_ENQUEUE_ALONE_SQL: Final = f"WITH {ENQUEUE_SQL} SELECT count(*) FROM notified"  # noqa: S608 - no value is in it

CLAIM_SQL: Final = """
    -- Lock the shards that no other relay holds, until the end of this transaction, and take out their oldest rows.
    -- Another relay may have released a shard after this statement took its snapshot, so the snapshot may still show
    -- rows that it has deleted: DELETE skips those.
    -- The commit does not wait for the disk: a crash brings the rows back, and they are sent again with the same ids.
    WITH async_commit AS MATERIALIZED (
        SELECT set_config('synchronous_commit', 'off', true)
    ), locked AS MATERIALIZED (
        SELECT shard FROM async_commit, unnest(%s::text::int[]) AS shard
        WHERE pg_try_advisory_xact_lock(hashtext(current_schema() || '_outbox'), shard)
    ), oldest AS (
        SELECT waiting.id FROM locked
        CROSS JOIN LATERAL (SELECT id FROM outbox WHERE outbox.shard = locked.shard ORDER BY id LIMIT %s) AS waiting
    )
    DELETE FROM outbox USING oldest WHERE outbox.id = oldest.id
    RETURNING outbox.id, topic, case_id::text, event_id::text, event_type, happened_at, classification,
        causation_id::text, sequence, traceparent, value, raw, guards
"""

_SYNCHRONOUS_COMMIT_SQL: Final = """
    -- Let the commit of this transaction wait for the disk again, as other commits do.
    SET LOCAL synchronous_commit TO DEFAULT
"""

WITHHOLD_SQL: Final = """
    -- Record an event that is not published because a consent that it requires was revoked. Its content is not kept.
    INSERT INTO outbox_withheld (event_id, topic, case_id, event_type, sequence, guards) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""

_WITHHOLD_UNPUBLISHED_SQL: Final = """
    -- Take out the unpublished events of these cases that require one of these consents, and record them as withheld.
    -- The DELETE waits for a relay that has claimed such a row: afterwards the row is published, or it is back.
    WITH revoked AS (
        DELETE FROM outbox WHERE case_id = ANY(%s::text::uuid[]) AND guards && %s::text::uuid[]
        RETURNING event_id, topic, case_id, event_type, sequence, guards
    )
    INSERT INTO outbox_withheld (event_id, topic, case_id, event_type, sequence, guards)
    SELECT event_id, topic, case_id, event_type, sequence, guards FROM revoked ON CONFLICT DO NOTHING
"""

_OLDEST_AGE_SQL: Final = "SELECT extract(epoch FROM now() - created_at)::float FROM outbox ORDER BY id LIMIT 1"


class OutboxEvent(NamedTuple):
    """One event to publish on one topic, caused by the event `cause`, as part of the trace `traceparent`.

    `required_consents` are consent ids: the event is withheld if one of them is not valid when the relay publishes it.
    `text` is the event as JSON, for a caller that has serialized it already.
    """

    topic: str
    event: Event
    cause: UUID
    traceparent: str | None = None
    required_consents: tuple[UUID, ...] = ()
    text: bytes | None = None


class OutboxRow(NamedTuple):
    """One claimed row, with the ids as text, as they are sent; `raw` is a dead letter, and then there is no event."""

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


def shard_of(case_id: UUID) -> int:
    """Return the shard of a case, 0 to 15."""
    return case_id.int % SHARDS


async def enqueue(tx: Transaction, events: Iterable[OutboxEvent]) -> None:
    """Enqueue events in this transaction; the relay publishes them after the commit, in this order within a case.

    Event ids are derived from cause, topic, type and subject: processing a message again enqueues the same ids.
    """
    listed = list(events)
    if listed:
        await tx.execute(_ENQUEUE_ALONE_SQL, {"events": events_to_json(listed)})


def events_to_json(events: Sequence[OutboxEvent]) -> str:
    """Return events as the parameter `events` of ENQUEUE_SQL."""
    # From the last to the first: a row's number is the counter's new value minus the events of its case behind it.
    behind: Counter[tuple[str, UUID]] = Counter()
    rows = []
    for ordinal, event in reversed(list(enumerate(events))):
        key = event.topic, event.event.case_id
        rows.append(_row(ordinal, behind[key], event))
        behind[key] += 1
    return rows_to_json(rows)


def _row(ordinal: int, behind: int, outgoing: OutboxEvent) -> Row:
    event = outgoing.event
    return {
        "ordinal": ordinal,
        "behind": behind,
        "shard": shard_of(event.case_id),
        "topic": outgoing.topic,
        "case_id": event.case_id,
        "event_id": event_id(outgoing.cause, outgoing.topic, event),
        "event_type": event.type,
        "happened_at": write_time(event.happened_at),
        "classification": event.label.value,
        "causation_id": outgoing.cause,
        "traceparent": outgoing.traceparent,
        # The serializer itself: model_dump_json costs twice as much for a small event.
        "value": Fragment(outgoing.text or event.__pydantic_serializer__.to_json(event)),
        "guards": outgoing.required_consents or None,
    }


_ALL_SHARDS: Final = array_literal(range(SHARDS))


async def claim(tx: Transaction, rows_per_shard: int) -> list[OutboxRow]:
    """Take the oldest rows of every shard that this transaction can lock, in order; a rollback puts them back.

    The locks last until the transaction ends. Its commit does not wait for the disk.
    """
    async with tx.cursor(row_factory=args_row(OutboxRow), binary=True) as cursor:
        await cursor.execute(CLAIM_SQL, (_ALL_SHARDS, rows_per_shard))
        return sorted(await cursor.fetchall())


async def wait_for_disk(tx: Transaction) -> None:
    """Let the commit of a transaction that has claimed rows wait for the disk."""
    await tx.execute(_SYNCHRONOUS_COMMIT_SQL)


async def withhold(tx: Transaction, rows: Iterable[OutboxRow]) -> None:
    """Record that these claimed rows are not published because a required consent was revoked."""
    for row in rows:
        event = (row.event_id, row.topic, row.case_id, row.event_type, row.sequence, row.required_consents)
        await tx.execute(WITHHOLD_SQL, event)


async def withhold_unpublished(tx: Transaction, case_ids: Collection[UUID], consent_ids: Collection[UUID]) -> None:
    """Withhold the events of these cases that require one of these consents and are not published yet.

    It waits for a relay that is publishing such an event.
    """
    if consent_ids:
        await tx.execute(_WITHHOLD_UNPUBLISHED_SQL, (array_literal(case_ids), array_literal(consent_ids)))


async def oldest_age(connection: Transaction) -> float:
    """Return the age of the oldest unpublished row in seconds; 0 when the outbox is empty."""
    row = await (await connection.execute(_OLDEST_AGE_SQL)).fetchone()
    return float(row[0]) if row else 0.0


async def listen(connection: Transaction, schema: str) -> None:
    """Let writers notify this connection of commits from now on, until it is closed.

    A relay must claim once more after this: rows that were committed before the lock was taken came without NOTIFY.
    """
    await connection.execute(_LISTEN_SQL.format(schema))
    await connection.execute(_SLEEP_LOCK_SQL)
