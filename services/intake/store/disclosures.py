"""What agencies were given of each case, and what was recalled."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.disclosures import DisclosureEntry, DisclosureLog, RecallEntry
from shared.kit.database.database import Transaction
from shared.kit.database.rows import rows_to_json

_ADD_DISCLOSURES = """
    -- Note what was given, each receipt once.
    INSERT INTO disclosures (receipt_id, case_id, referral_id, agency, channel, groups, purpose, grounds, given_at,
        shown_from, ends_at)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS said (receipt_id uuid, case_id uuid, referral_id uuid, agency text,
        channel text, groups text[], purpose text, grounds jsonb, given_at timestamptz, shown_from timestamptz,
        ends_at timestamptz)
    ON CONFLICT (receipt_id) DO NOTHING
"""

_ADD_RECALLS = """
    -- Note what was recalled; a receipt may become known later.
    INSERT INTO recalls (receipt_id, consent_id, case_id, groups, why, recalled_at)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS said (receipt_id uuid, consent_id uuid, case_id uuid, groups text[],
        why text, recalled_at timestamptz)
    ON CONFLICT (receipt_id, consent_id) DO NOTHING
"""

_LIST = """
    -- What was given of a case, the latest first.
    SELECT receipt_id, case_id, referral_id, agency, channel, groups, purpose, grounds, given_at, shown_from, ends_at
    FROM disclosures WHERE case_id = %s ORDER BY given_at DESC, receipt_id
"""

_LIST_RECALLS = """
    SELECT receipt_id, consent_id, case_id, groups, why, recalled_at
    FROM recalls WHERE case_id = %s ORDER BY recalled_at, receipt_id
"""


_LIST_DELAYED = """
    -- The agencies whose part in these cases is not to be known yet.
    SELECT DISTINCT case_id, agency FROM disclosures
    WHERE case_id = ANY(%s) AND shown_from IS NOT NULL AND shown_from > %s
"""


async def list_embargoed_agencies(
    connection: Transaction, case_ids: Sequence[UUID], at: datetime
) -> dict[UUID, set[str]]:
    """List by case the agencies whose part in it is not to be known at a moment."""
    delayed: dict[UUID, set[str]] = {}
    rows = await connection.execute(_LIST_DELAYED, (list(case_ids), at))
    async for case_id, agency in rows:
        delayed.setdefault(case_id, set()).add(agency)
    return delayed


async def save_disclosures(tx: Transaction, told: DisclosureLog) -> None:
    """Write what a batch tells."""
    if told.disclosures:
        await tx.execute(_ADD_DISCLOSURES, (rows_to_json(told.disclosures),))
    if told.recalls:
        await tx.execute(_ADD_RECALLS, (rows_to_json(told.recalls),))


async def list_disclosures(connection: Transaction, case_id: UUID) -> DisclosureLog:
    """List what was given of a case, and what was recalled."""
    async with connection.cursor(row_factory=class_row(DisclosureEntry)) as cursor:
        await cursor.execute(_LIST, (case_id,))
        disclosures = await cursor.fetchall()
    async with connection.cursor(row_factory=class_row(RecallEntry)) as cursor:
        await cursor.execute(_LIST_RECALLS, (case_id,))
        return DisclosureLog(tuple(disclosures), tuple(await cursor.fetchall()))
