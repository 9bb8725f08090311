"""Writes what routing's events change: the history of cases, the state of referrals, and the cases themselves."""

from typing import Any

from services.intake.domain.progress import ACTIVE_STATES, CaseProgress
from shared.kit.database.database import Transaction
from shared.kit.database.rows import rows_to_json

_INSERT_NOTES_SQL = """
    -- Add notes to the history, one for each event.
    INSERT INTO notes (event_id, case_id, sequence, happened_at, kind, referral_id, need, agency, reason)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS changed (event_id uuid, case_id uuid, sequence bigint,
        happened_at timestamptz, kind text, referral_id uuid, need text, agency text, reason text)
    ON CONFLICT (event_id) DO NOTHING
"""

_UPSERT_REFERRALS_SQL = """
    -- Set the state of each referral; an event older than the last one applied changes nothing. The rows are locked in
    -- the order of their ids, so that two batches cannot deadlock.
    INSERT INTO referrals AS known (referral_id, case_id, need, agency, state, sequence)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS changed (referral_id uuid, case_id uuid, need text, agency text,
        state text, sequence bigint)
    ORDER BY referral_id
    ON CONFLICT (referral_id) DO UPDATE SET state = excluded.state, sequence = excluded.sequence
        WHERE known.sequence < excluded.sequence
"""

_UPDATE_CASES_SQL = """
    -- Set the agencies of each case: those that work on it, else those that completed a referral. Close a resolved one.
    WITH changed AS (
        SELECT * FROM jsonb_to_recordset(%(changes)s::jsonb)
            AS changed (case_id uuid, changed_at timestamptz, resolution text, resolved_at timestamptz)
    ), holders AS (
        SELECT changed.case_id,
            coalesce(
                array_agg(DISTINCT agency) FILTER (WHERE state = ANY(%(working)s)),
                array_agg(DISTINCT agency) FILTER (WHERE state = 'completed'),
                '{}') AS agencies
        FROM changed LEFT JOIN referrals USING (case_id) GROUP BY changed.case_id
    )
    UPDATE cases SET
        agencies = holders.agencies,
        updated_at = greatest(updated_at, changed.changed_at),
        status = CASE WHEN changed.resolution IS NULL THEN status ELSE 'closed' END,
        resolution = coalesce(changed.resolution, cases.resolution),
        closed_at = coalesce(changed.resolved_at, closed_at)
    FROM changed JOIN holders USING (case_id)
    WHERE cases.case_id = changed.case_id
"""


async def save_progress(tx: Transaction, progress: CaseProgress) -> None:
    """Write everything that a batch of events changes."""
    if progress.notes:
        await tx.execute(_INSERT_NOTES_SQL, (rows_to_json(progress.notes),))
    if progress.referrals:
        await tx.execute(_UPSERT_REFERRALS_SQL, (rows_to_json(progress.referrals),))
    if progress.changes:
        values: dict[str, Any] = {"changes": rows_to_json(progress.changes), "working": list(ACTIVE_STATES)}
        await tx.execute(_UPDATE_CASES_SQL, values)
