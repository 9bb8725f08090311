"""The disclosures and recalls of each case."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.disclosures import DisclosureEntry, DisclosureLog, RecallEntry
from shared.kit.database.database import Transaction
from shared.kit.database.rows import rows_to_json

_INSERT_DISCLOSURES_SQL = """
    -- Add disclosures, each receipt once.
    INSERT INTO disclosures (receipt_id, case_id, referral_id, agency, channel, groups, purpose, grounds, given_at,
        shown_from, ends_at)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS added (receipt_id uuid, case_id uuid, referral_id uuid, agency text,
        channel text, groups text[], purpose text, grounds jsonb, given_at timestamptz, shown_from timestamptz,
        ends_at timestamptz)
    ON CONFLICT (receipt_id) DO NOTHING
"""

_INSERT_RECALLS_SQL = """
    -- Add recalls, each once. The disclosure that a recall names may arrive later.
    INSERT INTO recalls (receipt_id, consent_id, case_id, groups, why, recalled_at)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS added (receipt_id uuid, consent_id uuid, case_id uuid, groups text[],
        why text, recalled_at timestamptz)
    ON CONFLICT (receipt_id, consent_id) DO NOTHING
"""

_LIST_DISCLOSURES_SQL = """
    -- The disclosures of a case, the latest first.
    SELECT receipt_id, case_id, referral_id, agency, channel, groups, purpose, grounds, given_at, shown_from, ends_at
    FROM disclosures WHERE case_id = %s ORDER BY given_at DESC, receipt_id
"""

_LIST_RECALLS_SQL = """
    SELECT receipt_id, consent_id, case_id, groups, why, recalled_at
    FROM recalls WHERE case_id = %s ORDER BY recalled_at, receipt_id
"""

_LIST_EMBARGOED_AGENCIES_SQL = """
    -- The agencies whose part in these cases is under embargo.
    SELECT DISTINCT case_id, agency FROM disclosures
    WHERE case_id = ANY(%s) AND shown_from IS NOT NULL AND shown_from > %s
"""


async def list_embargoed_agencies(
    connection: Transaction, case_ids: Sequence[UUID], at: datetime
) -> dict[UUID, set[str]]:
    """Return by case the agencies whose part in it is under embargo at a moment."""
    embargoed: dict[UUID, set[str]] = {}
    rows = await connection.execute(_LIST_EMBARGOED_AGENCIES_SQL, (list(case_ids), at))
    async for case_id, agency in rows:
        embargoed.setdefault(case_id, set()).add(agency)
    return embargoed


async def save_disclosures(tx: Transaction, log: DisclosureLog) -> None:
    """Add the disclosures and recalls of a batch of events."""
    if log.disclosures:
        await tx.execute(_INSERT_DISCLOSURES_SQL, (rows_to_json(log.disclosures),))
    if log.recalls:
        await tx.execute(_INSERT_RECALLS_SQL, (rows_to_json(log.recalls),))


async def list_disclosures(connection: Transaction, case_id: UUID) -> DisclosureLog:
    """Return the disclosures and recalls of a case."""
    async with connection.cursor(row_factory=class_row(DisclosureEntry)) as cursor:
        await cursor.execute(_LIST_DISCLOSURES_SQL, (case_id,))
        disclosures = await cursor.fetchall()
    async with connection.cursor(row_factory=class_row(RecallEntry)) as cursor:
        await cursor.execute(_LIST_RECALLS_SQL, (case_id,))
        return DisclosureLog(tuple(disclosures), tuple(await cursor.fetchall()))
