"""Opens a case in one statement, so that a report costs one round trip and one commit."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson

from services.intake.domain.filing import Filing
from shared.events.topics import CASES
from shared.events.wire import event_id, write_time
from shared.kit.database import Transaction
from shared.kit.outbox import WAKE, shard_of

REMEMBERED = timedelta(hours=24)
"""For how long a caller's key is remembered."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller's own key for one report: `fingerprint` is the SHA-256 of what was sent under it."""

    caller: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was filed under a key before."""

    fingerprint: bytes
    case_id: UUID
    service_request_id: str


_UNCLAIMED = "WITH free AS (SELECT true AS is_free)"

_CLAIMED = """
    -- Claim the caller's key, or a key that has outlived its time; whoever comes second opens nothing. A claim that
    -- another connection is making at this moment is waited for.
    WITH free AS (
        INSERT INTO idempotency_keys AS known (caller, key, fingerprint, case_id)
        VALUES (%(caller)s, %(key)s, %(fingerprint)s, %(case_id)s)
        ON CONFLICT (caller, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, case_id = excluded.case_id, created_at = excluded.created_at
            WHERE known.created_at < now() - %(remembered)s::interval
        RETURNING true AS is_free
    )
"""

_ROWS = """
    , person AS (
        INSERT INTO vault.person_keys (person_id, wrapped) SELECT %(person_id)s::uuid, %(wrapped)s::bytea FROM free
    ), opened AS (
        INSERT INTO cases (case_id, service_request_id, token_hash, service_code, needs, urgency, language, channel,
            cell, district, person_id, sealed, protected, status, agencies, submitted_at, updated_at)
        SELECT %(case_id)s::uuid, %(service_request_id)s, %(token_hash)s::bytea, %(service_code)s, %(needs)s::text[],
            %(urgency)s, %(language)s, %(channel)s, %(cell)s, %(district)s, %(person_id)s::uuid, %(sealed)s::jsonb,
            %(protected)s::boolean, 'open', '{}', %(submitted_at)s::timestamptz, %(submitted_at)s::timestamptz
        FROM free
    ), counted AS (
        INSERT INTO outbox_sequences (topic, case_id, last) SELECT %(topic)s, %(case_id)s::uuid, 1 FROM free
    ), said AS (
        INSERT INTO outbox (topic, sequence, shard, case_id, event_id, event_type, happened_at, classification,
            causation_id, traceparent, value)
        SELECT %(topic)s, 1, %(shard)s::smallint, %(case_id)s::uuid, %(event_id)s::uuid, %(event_type)s,
            %(happened_at)s, %(classification)s, %(case_id)s::uuid, %(traceparent)s, %(value)s
        FROM free
    ), woken AS (
"""

_DONE = ") SELECT is_free, (SELECT count(*) FROM woken) FROM free"

_FILE = _UNCLAIMED + _ROWS + WAKE + _DONE
_FILE_CLAIMED = _CLAIMED + _ROWS + WAKE + _DONE

_FIND_EARLIER = """
    -- What this caller filed under this key, while the key counts.
    SELECT fingerprint, case_id, service_request_id
    FROM idempotency_keys JOIN cases USING (case_id)
    WHERE caller = %s AND key = %s AND idempotency_keys.created_at >= now() - %s::interval
"""

_FORGET = """
    -- Forget the keys that have outlived their time, a bounded number at once.
    DELETE FROM idempotency_keys WHERE (caller, key) IN (
        SELECT caller, key FROM idempotency_keys
        WHERE created_at < now() - %s::interval ORDER BY created_at LIMIT 5000
    )
"""


async def file_case(connection: Transaction, filing: Filing, claim: Claim | None, traceparent: str | None) -> bool:
    """Open a case and queue what is said of it; False when the claim's key has been used before."""
    parameters = _parameters(filing, traceparent)
    if claim is None:
        await connection.execute(_FILE, parameters)
        return True
    parameters |= {"caller": claim.caller, "key": claim.key, "fingerprint": claim.fingerprint, "remembered": REMEMBERED}
    result = await connection.execute(_FILE_CLAIMED, parameters)
    return await result.fetchone() is not None


async def find_earlier(connection: Transaction, claim: Claim) -> Earlier | None:
    """Find what the caller filed under this key."""
    result = await connection.execute(_FIND_EARLIER, (claim.caller, claim.key, REMEMBERED))
    row = await result.fetchone()
    return Earlier(*row) if row else None


async def forget_old_keys(tx: Transaction) -> None:
    """Delete the keys that count no more."""
    await tx.execute(_FORGET, (REMEMBERED,))


def _parameters(filing: Filing, traceparent: str | None) -> dict[str, object]:
    event, identity = filing.event, filing.identity
    return {
        "topic": CASES.topic,
        "person_id": event.person_id,
        "wrapped": filing.wrapped_key,
        "case_id": event.case_id,
        "service_request_id": event.service_request_id,
        "token_hash": identity.token_hash,
        "service_code": event.service_code,
        "needs": "{" + ",".join(need.need for need in event.needs) + "}",
        "urgency": event.urgency,
        "language": event.language,
        "channel": event.origin.channel,
        "cell": event.place.cell,
        "district": event.place.district,
        "sealed": orjson.dumps(event.sealed, option=orjson.OPT_NON_STR_KEYS).decode(),
        "protected": filing.protected,
        "submitted_at": event.submitted_at,
        "shard": shard_of(event.case_id),
        "event_id": event_id(event.case_id, CASES.topic, event),
        "event_type": event.type,
        "happened_at": write_time(event.happened_at),
        "classification": event.classification.value,
        "traceparent": traceparent,
        "value": event.__pydantic_serializer__.to_json(event).decode(),
    }
