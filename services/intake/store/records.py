"""Keeps imported records, many at once, each once."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

from services.intake.domain.filing import Filing
from shared.kit.database import Transaction

_KNOWN = "SELECT external_id FROM cases WHERE source = %s AND external_id = ANY(%s)"

_ADD = """
    -- Keep the cases that are new, and the keys of their persons; what another import has just kept is left out.
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS given (
            case_id uuid, service_request_id text, token_hash text, service_code text, needs text[], urgency text,
            language text, channel text, source text, external_id text, cell text, district text, person_id uuid,
            wrapped text, sealed jsonb, record text, protected boolean, status text, submitted_at timestamptz,
            updated_at timestamptz, closed_at timestamptz)
    ), added AS (
        INSERT INTO cases (case_id, service_request_id, token_hash, service_code, needs, urgency, language, channel,
            source, external_id, cell, district, person_id, sealed, record, protected, status, resolution, agencies,
            submitted_at, updated_at, closed_at)
        SELECT case_id, service_request_id, decode(token_hash, 'base64'), service_code, needs, urgency, language,
            channel, source, external_id, cell, district, person_id, sealed, record, protected, status,
            CASE status WHEN 'closed' THEN 'recorded' END, '{}', submitted_at, updated_at, closed_at
        FROM given ORDER BY external_id
        ON CONFLICT (source, external_id) WHERE external_id IS NOT NULL DO NOTHING
        RETURNING case_id
    ), keyed AS (
        INSERT INTO vault.person_keys (person_id, wrapped)
        SELECT person_id, decode(wrapped, 'base64') FROM given JOIN added USING (case_id)
    )
    SELECT case_id FROM added
"""


async def find_known(tx: Transaction, source: str, external_ids: Iterable[str]) -> set[str]:
    """Return which records of a source are kept already."""
    rows = await tx.execute(_KNOWN, (source, list(external_ids)))
    return {row[0] async for row in rows}


async def add_cases(tx: Transaction, filings: Sequence[Filing]) -> set[UUID]:
    """Keep the cases that are new, and return their ids."""
    rows = await tx.execute(_ADD, (orjson.dumps([_row(filing) for filing in filings]).decode(),))
    return {row[0] async for row in rows}


def _row(filing: Filing) -> dict[str, object]:
    event, standing = filing.event, filing.standing
    return {
        "case_id": event.case_id,
        "service_request_id": event.service_request_id,
        "token_hash": b64encode(filing.identity.token_hash).decode(),
        "service_code": event.service_code,
        "needs": [need.need for need in event.needs],
        "urgency": event.urgency,
        "language": event.language,
        "channel": event.origin.channel,
        "source": event.origin.source,
        "external_id": event.origin.external_id,
        "cell": event.place.cell,
        "district": event.place.district,
        "person_id": event.person_id,
        "wrapped": b64encode(filing.wrapped_key).decode(),
        "sealed": {group.value: block for group, block in event.sealed.items()},
        "record": filing.record,
        "protected": filing.protected,
        "status": standing.status,
        "submitted_at": event.submitted_at,
        "updated_at": standing.updated_at,
        "closed_at": standing.closed_at,
    }
