"""Opens cases: any number of them with one statement and one commit."""

import asyncio
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
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.outbox import ENQUEUE_FIRST_SQL, shard_of

KEY_LIFETIME: Final = timedelta(hours=24)
"""How long an idempotency key is stored, and repeated requests with it get the same report."""


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """A caller's claim to open one case: keyed hashes of the Idempotency-Key and of the report."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class PendingCase:
    """One case to be opened, with the caller's claim where there is one; `traceparent` is the trace it belongs to."""

    case: NewCase
    claim: IdempotencyClaim | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """The report that was filed under a key before."""

    fingerprint: bytes
    case_id: UUID
    service_request_id: str
    announced: bool
    erased: bool


_INSERT_CASES_SQL: Final = f"""
    -- Write everything that new cases need. A key is claimed first: it is inserted, or taken over once it has expired.
    -- A second request with the same key waits here for the first one to commit, and then claims nothing and opens
    -- nothing. Nor is a case opened for a record whose source has sent it before. The event of a case that is not
    -- announced is stored with the case, not enqueued. Keys and records are inserted in order, so that two statements
    -- that share some of them cannot deadlock.
    WITH pending AS (
        SELECT * FROM json_to_recordset(%(cases)s::json) AS pending (
            caller text, key text, fingerprint text, case_id uuid, service_request_id text, token_hash text,
            service_code text, needs text[], urgency text, language text, channel text, source text, external_id text,
            cell text, district text, person_id uuid, wrapped text, record text, protected boolean,
            announced boolean, status text, submitted_at timestamptz, updated_at timestamptz, closed_at timestamptz,
            shard smallint, event_id uuid, happened_at text, traceparent text, event json)
    ), claimed AS (
        INSERT INTO idempotency_keys AS known (caller, key, fingerprint, case_id)
        SELECT caller, key, decode(fingerprint, 'hex'), case_id FROM pending WHERE key IS NOT NULL ORDER BY caller, key
        ON CONFLICT (caller, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, case_id = excluded.case_id, created_at = excluded.created_at
            WHERE known.created_at < now() - %(key_lifetime)s::interval
        RETURNING case_id
    ), opened AS (
        INSERT INTO cases (case_id, service_request_id, token_hash, service_code, needs, urgency, language, channel,
            source, external_id, cell, district, person_id, sealed, record, protected, status, resolution, agencies,
            submitted_at, updated_at, closed_at, announced, unsaid)
        SELECT case_id, service_request_id, decode(token_hash, 'hex'), service_code, needs, urgency, language, channel,
            source, external_id, cell, district, person_id, (event -> 'sealed')::jsonb, record, protected, status,
            CASE status WHEN 'closed' THEN 'recorded' END, '{{}}', submitted_at, updated_at, closed_at, announced,
            CASE WHEN NOT announced THEN event::text END
        FROM pending WHERE key IS NULL OR case_id IN (SELECT case_id FROM claimed) ORDER BY external_id
        ON CONFLICT (source, external_id) WHERE external_id IS NOT NULL DO NOTHING
        RETURNING case_id
    ), new_cases AS (
        SELECT pending.* FROM pending JOIN opened USING (case_id)
    ), person_keys AS (
        INSERT INTO vault.person_keys (person_id, wrapped) SELECT person_id, decode(wrapped, 'hex') FROM new_cases
    ), first_events AS (
        SELECT %(topic)s AS topic, shard, case_id, event_id, %(event_type)s AS event_type, happened_at,
            %(classification)s AS classification, case_id AS causation_id, traceparent, event::text AS value
        FROM new_cases WHERE announced
    ), {ENQUEUE_FIRST_SQL}
    SELECT case_id, (SELECT count(*) FROM notified) FROM opened
"""  # noqa: S608 - no value is in it

_FIND_EARLIER_REPORT_SQL = """
    -- The case that this caller filed under this key, until the key expires.
    SELECT fingerprint, case_id, service_request_id, announced, erased_at IS NOT NULL
    FROM idempotency_keys JOIN cases USING (case_id)
    WHERE caller = %s AND key = %s AND idempotency_keys.created_at >= now() - %s::interval
"""

_FIND_KNOWN_RECORDS_SQL = "SELECT external_id FROM cases WHERE source = %s AND external_id = ANY(%s)"

_DELETE_EXPIRED_KEYS_SQL = """
    -- Delete expired keys, a bounded number at a time, the oldest first.
    DELETE FROM idempotency_keys WHERE (caller, key) IN (
        SELECT caller, key FROM idempotency_keys
        WHERE created_at < now() - %s::interval ORDER BY created_at LIMIT 5000
    )
"""

_TAKE_NUMBER_BLOCK_SQL = """
    -- The first number of a new block, and the size of a block: the increment of the sequence.
    SELECT last, increment FROM nextval('service_request_numbers') AS last, (VALUES (100)) AS step (increment)
"""


class CaseNumbers:
    """Hands out numbers of cases from a block, so that most reports get theirs without a query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left = iter(range(0))
        self._refill_lock = asyncio.Lock()

    async def next(self) -> int:
        """Return a number that no other case has; a process that stops loses the rest of its block.

        Raises:
            psycopg.Error: the block is used up, and the database is unavailable.
        """
        number = next(self._left, None)
        return number if number is not None else await self._refill()

    async def _refill(self) -> int:
        async with self._refill_lock:
            # Of the callers that waited for the lock, all but the first find the new block.
            number = next(self._left, None)
            if number is None:
                async with self._database.statement() as connection:
                    self._left = iter(await _take_number_block(connection))
                number = next(self._left)
            return number


async def insert_cases(connection: Transaction, cases: Sequence[PendingCase]) -> set[UUID]:
    """Open cases and enqueue their events; returns the ids of those that were opened.

    The key or the record of the others has a case already. No two of them may have the same key: one statement cannot
    claim a key twice.
    """
    values = {
        "cases": orjson.dumps([_row(each) for each in cases]).decode(),
        "key_lifetime": KEY_LIFETIME,
        "topic": CASES.topic,
        "event_type": CASE_SUBMITTED,
        "classification": CaseSubmitted.classification.value,
    }
    rows = await connection.execute(_INSERT_CASES_SQL, values, binary=True)
    return {row[0] for row in await rows.fetchall()}


async def find_earlier_report(connection: Transaction, claim: IdempotencyClaim) -> EarlierReport | None:
    """Find the report that the caller filed under this key; None where the key is new or expired."""
    result = await connection.execute(_FIND_EARLIER_REPORT_SQL, (claim.caller, claim.key, KEY_LIFETIME))
    row = await result.fetchone()
    return EarlierReport(*row) if row else None


async def find_known_records(connection: Transaction, source: str, external_ids: Iterable[str]) -> set[str]:
    """Return the external ids of those records of a source that have a case."""
    rows = await connection.execute(_FIND_KNOWN_RECORDS_SQL, (source, list(external_ids)))
    return {row[0] async for row in rows}


async def delete_expired_keys(tx: Transaction) -> None:
    """Delete expired keys, a bounded number of them."""
    await tx.execute(_DELETE_EXPIRED_KEYS_SQL, (KEY_LIFETIME,))


def _row(pending: PendingCase) -> dict[str, object]:
    case, claim = pending.case, pending.claim
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
    } | _event_columns(case, pending.traceparent)


def _event_columns(case: NewCase, traceparent: str | None) -> dict[str, object]:
    case_id = case.identity.case_id
    return {
        "shard": shard_of(case_id),
        "event_id": derived_id(case_id, CASES.topic, CASE_SUBMITTED, ""),
        "happened_at": write_time(case.submitted_at),
        "traceparent": traceparent,
        "event": orjson.Fragment(submitted_event_json(case)),
    }


async def _take_number_block(connection: Transaction) -> range:
    result = await connection.execute(_TAKE_NUMBER_BLOCK_SQL)
    first, size = await result.fetchone() or (0, 0)
    return range(first, first + size)
