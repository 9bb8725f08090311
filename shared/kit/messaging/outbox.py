"""The outbox: what a service will say, written in the transaction that made it true."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from orjson import Fragment

from shared.events.event import Event
from shared.events.wire import event_id, write_time
from shared.kit.database.database import Transaction
from shared.kit.database.rows import Row, rows_to_json

SHARDS = 16
"""Each case belongs to one shard; a shard is relayed by one relay at a time."""

NOTIFY_SQL = """
    -- Wake a relay only when one sleeps: it holds this lock while it does, and NOTIFY costs every commit a global lock.
    SELECT pg_notify(current_schema() || '_outbox', '')
    WHERE NOT pg_try_advisory_xact_lock_shared(hashtext(current_schema() || '_outbox_sleeps'), 0)
"""

ENQUEUE_SQL = f"""
    -- Number the events of each case in each topic, and queue them in that order. The counter's row stays locked
    -- until the commit, so that two writers of one case get numbers and ids in the order in which they commit.
    said AS (
        SELECT * FROM json_to_recordset(%(said)s::json) AS said (ordinal integer, behind integer, shard smallint,
            topic text, case_id uuid, event_id uuid, event_type text, happened_at text, classification text,
            causation_id uuid, traceparent text, value json, guards uuid[])
    ), counted AS (
        INSERT INTO outbox_sequences AS s (topic, case_id, last)
        SELECT topic, case_id, count(*) FROM said GROUP BY topic, case_id ORDER BY topic, case_id
        ON CONFLICT (topic, case_id) DO UPDATE SET last = s.last + excluded.last
        RETURNING topic, case_id, last
    ), queued AS (
        INSERT INTO outbox (shard, topic, case_id, event_id, event_type, happened_at, classification,
            causation_id, traceparent, value, guards, sequence)
        SELECT shard, topic, case_id, event_id, event_type, happened_at, classification, causation_id, traceparent,
            value::text, guards, last - behind
        FROM said JOIN counted USING (topic, case_id)
        ORDER BY ordinal
    ), woken AS ({NOTIFY_SQL})
"""  # noqa: S608 - our own statement
"""What says events, for whoever writes more by the same statement: `WITH ... SELECT count(*) FROM woken`."""

_SAY = f"WITH {ENQUEUE_SQL} SELECT count(*) FROM woken"  # noqa: S608 - our own statement


class OutboxEvent(NamedTuple):
    """One event to be said on one topic, because of `cause`; `traceparent` is the trace that it continues.

    `required_consents` are consent ids: once one of them is not valid any more, the event is withheld.
    `text` is the event as JSON, where whoever says it has written that already.
    """

    topic: str
    event: Event
    cause: UUID
    traceparent: str | None = None
    required_consents: tuple[UUID, ...] = ()
    text: bytes | None = None


def shard_of(case_id: UUID) -> int:
    """Return the shard of a case, 0 to 15."""
    return case_id.int % SHARDS


async def enqueue(tx: Transaction, announcements: Iterable[OutboxEvent]) -> None:
    """Queue events in this transaction; they are relayed in this order within a case, after the commit.

    The ids are derived from cause, topic, type and subject, so that doing the work again says the same again.
    """
    said = list(announcements)
    if said:
        await tx.execute(_SAY, {"said": events_to_json(said)})


def events_to_json(announcements: Sequence[OutboxEvent]) -> str:
    """Write events as the parameter `said` of what says them."""
    return rows_to_json(_rows(announcements))


def _rows(announcements: Sequence[OutboxEvent]) -> list[Row]:
    """Write the rows, the last first: each says how many events of its case and topic come behind it."""
    behind: Counter[tuple[str, UUID]] = Counter()
    rows = []
    for ordinal, said in reversed(list(enumerate(announcements))):
        key = said.topic, said.event.case_id
        rows.append(_row(ordinal, behind[key], said))
        behind[key] += 1
    return rows


def _row(ordinal: int, behind: int, said: OutboxEvent) -> Row:
    event = said.event
    return {
        "ordinal": ordinal,
        "behind": behind,
        "shard": shard_of(event.case_id),
        "topic": said.topic,
        "case_id": event.case_id,
        "event_id": event_id(said.cause, said.topic, event),
        "event_type": event.type,
        "happened_at": write_time(event.happened_at),
        "classification": event.label.value,
        "causation_id": said.cause,
        "traceparent": said.traceparent,
        "value": Fragment(said.text or event.__pydantic_serializer__.to_json(event)),
        "guards": said.required_consents or None,
    }
