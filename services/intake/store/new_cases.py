"""Opens cases: however many there are, one statement and one commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson

from services.intake.domain.new_case import CASE_SUBMITTED, NewCase, submitted_event_json
from shared.events.intake import CaseSubmitted
from shared.events.topics import CASES
from shared.events.wire import derived_id, write_time
from shared.kit.database.database import Transaction
from shared.kit.messaging.outbox import ENQUEUE_FIRST_SQL, shard_of

KEY_LIFETIME = timedelta(hours=24)
"""For how long a caller's key is remembered."""


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A caller's own key for one report, and a fingerprint of what was sent under it."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class PendingCase:
    """One case to be opened, under a caller's key where there is one, as part of a trace."""

    case: NewCase
    claim: IdempotencyClaim | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """What was filed under a key before."""

    fingerprint: bytes
    case_id: UUID
    service_request_id: str
    announced: bool
    erased: bool


_OPEN: Final = f"""
    -- Everything that a case needs is written here. The key of a caller is claimed first (or claimed again, when it has
    -- outlived its time): whoever comes second opens nothing, and waits for a claim that is being made at this moment.
    -- Nor is a record opened that its source has handed in before. Nothing is said of a case that is not announced.
    WITH given AS (
        SELECT * FROM json_to_recordset(%(given)s::json) AS given (
            caller text, key text, fingerprint text, case_id uuid, service_request_id text, token_hash text,
            service_code text, needs text[], urgency text, language text, channel text, source text, external_id text,
            cell text, district text, person_id uuid, wrapped text, record text, protected boolean,
            announced boolean, status text, submitted_at timestamptz, updated_at timestamptz, closed_at timestamptz,
            shard smallint, event_id uuid, happened_at text, traceparent text, event json)
    ), claimed AS (
        INSERT INTO idempotency_keys AS known (caller, key, fingerprint, case_id)
        SELECT caller, key, decode(fingerprint, 'hex'), case_id FROM given WHERE key IS NOT NULL ORDER BY caller, key
        ON CONFLICT (caller, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, case_id = excluded.case_id, created_at = excluded.created_at
            WHERE known.created_at < now() - %(remembered)s::interval
        RETURNING case_id
    ), opened AS (
        INSERT INTO cases (case_id, service_request_id, token_hash, service_code, needs, urgency, language, channel,
            source, external_id, cell, district, person_id, sealed, record, protected, status, resolution, agencies,
            submitted_at, updated_at, closed_at, announced, unsaid)
        SELECT case_id, service_request_id, decode(token_hash, 'hex'), service_code, needs, urgency, language, channel,
            source, external_id, cell, district, person_id, (event -> 'sealed')::jsonb, record, protected, status,
            CASE status WHEN 'closed' THEN 'recorded' END, '{{}}', submitted_at, updated_at, closed_at, announced,
            CASE WHEN NOT announced THEN event::text END
        FROM given WHERE key IS NULL OR case_id IN (SELECT case_id FROM claimed) ORDER BY external_id
        ON CONFLICT (source, external_id) WHERE external_id IS NOT NULL DO NOTHING
        RETURNING case_id
    ), fresh AS (
        SELECT given.* FROM given JOIN opened USING (case_id)
    ), keyed AS (
        INSERT INTO vault.person_keys (person_id, wrapped) SELECT person_id, decode(wrapped, 'hex') FROM fresh
    ), first_events AS (
        SELECT %(topic)s AS topic, shard, case_id, event_id, %(event_type)s AS event_type, happened_at,
            %(classification)s AS classification, case_id AS causation_id, traceparent, event::text AS value
        FROM fresh WHERE announced
    ), {ENQUEUE_FIRST_SQL}
    SELECT case_id, (SELECT count(*) FROM notified) FROM opened
"""  # noqa: S608 - no value is in it

_FIND_EARLIER = """
    -- What this caller filed under this key, while the key counts.
    SELECT fingerprint, case_id, service_request_id, announced, erased_at IS NOT NULL
    FROM idempotency_keys JOIN cases USING (case_id)
    WHERE caller = %s AND key = %s AND idempotency_keys.created_at >= now() - %s::interval
"""

_FIND_KNOWN_RECORDS = "SELECT external_id FROM cases WHERE source = %s AND external_id = ANY(%s)"

_FORGET = """
    -- Forget the keys that have outlived their time, a bounded number at once.
    DELETE FROM idempotency_keys WHERE (caller, key) IN (
        SELECT caller, key FROM idempotency_keys
        WHERE created_at < now() - %s::interval ORDER BY created_at LIMIT 5000
    )
"""


async def insert_cases(connection: Transaction, entries: Sequence[PendingCase]) -> set[UUID]:
    """Open cases and queue what is said of them; returns those that were opened.

    The others came second: their key, or the record that they were made from, is known. No two entries may have
    the same key.
    """
    values = {
        "given": orjson.dumps([_row(entry) for entry in entries]).decode(),
        "remembered": KEY_LIFETIME,
        "topic": CASES.topic,
        "event_type": CASE_SUBMITTED,
        "classification": CaseSubmitted.classification.value,
    }
    rows = await connection.execute(_OPEN, values, binary=True)
    return {row[0] for row in await rows.fetchall()}


async def find_earlier_report(connection: Transaction, claim: IdempotencyClaim) -> EarlierReport | None:
    """Find what the caller filed under this key."""
    result = await connection.execute(_FIND_EARLIER, (claim.caller, claim.key, KEY_LIFETIME))
    row = await result.fetchone()
    return EarlierReport(*row) if row else None


async def find_known_records(connection: Transaction, source: str, external_ids: Iterable[str]) -> set[str]:
    """Return the external ids of those records of a source that have a case."""
    rows = await connection.execute(_FIND_KNOWN_RECORDS, (source, list(external_ids)))
    return {row[0] async for row in rows}


async def delete_expired_keys(tx: Transaction) -> None:
    """Delete the keys that count no more."""
    await tx.execute(_FORGET, (KEY_LIFETIME,))


def _row(entry: PendingCase) -> dict[str, object]:
    case, claim = entry.case, entry.claim
    identity, status, sealed = case.identity, case.import_status, case.sealed
    return {
        "caller": claim and claim.caller,
        "key": claim and claim.key,
        "fingerprint": claim and claim.fingerprint.hex(),
        "case_id": identity.case_id,
        "service_request_id": identity.service_request_id,
        "token_hash": identity.token_hash.hex(),
        "service_code": case.service_code,
        "needs": [need for _, need in case.needs],
        "urgency": case.urgency,
        "language": case.language,
        "channel": case.origin.channel,
        "source": case.origin.source,
        "external_id": case.origin.external_id,
        "cell": case.place.cell,
        "district": case.place.district,
        "person_id": sealed.person_id,
        "wrapped": sealed.wrapped_key.hex(),
        "record": sealed.record,
        "protected": case.protected,
        "announced": case.announced,
        "status": status.status,
        "submitted_at": case.submitted_at,
        "updated_at": status.updated_at or case.submitted_at,
        "closed_at": status.closed_at,
    } | _said(case, entry.traceparent)


def _said(case: NewCase, traceparent: str | None) -> dict[str, object]:
    case_id = case.identity.case_id
    return {
        "shard": shard_of(case_id),
        "event_id": derived_id(case_id, CASES.topic, CASE_SUBMITTED, ""),
        "happened_at": write_time(case.submitted_at),
        "traceparent": traceparent,
        "event": orjson.Fragment(submitted_event_json(case)),
    }


_TAKE = "SELECT last, increment FROM nextval('service_request_numbers') AS last, (VALUES (100)) AS step (increment)"


async def take_number_block(connection: Transaction) -> range:
    """Take a block of numbers that nobody else will get."""
    result = await connection.execute(_TAKE)
    first, size = await result.fetchone() or (0, 0)
    return range(first, first + size)
