"""Writes what routing has said about cases: history, who has which need, and whether a case is closed."""

from typing import Any

from services.intake.domain.progress import ACTIVE_STATES, CaseProgress
from shared.kit.database.database import Transaction
from shared.kit.database.rows import rows_to_json

_ADD_NOTES = """
    -- Add to the history, each event once.
    INSERT INTO notes (event_id, case_id, sequence, happened_at, kind, referral_id, need, agency, reason)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS said (event_id uuid, case_id uuid, sequence bigint,
        happened_at timestamptz, kind text, referral_id uuid, need text, agency text, reason text)
    ON CONFLICT (event_id) DO NOTHING
"""

_SET_REFERRALS = """
    -- Note where each referral stands; what is older than what is known changes nothing.
    INSERT INTO referrals AS known (referral_id, case_id, need, agency, state, sequence)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS said (referral_id uuid, case_id uuid, need text, agency text,
        state text, sequence bigint)
    ORDER BY referral_id
    ON CONFLICT (referral_id) DO UPDATE SET state = excluded.state, sequence = excluded.sequence
        WHERE known.sequence < excluded.sequence
"""

_SET_CASES = """
    -- Show who has each case: the agencies that work on it, else those that have finished. A resolved case is closed.
    WITH said AS (
        SELECT * FROM jsonb_to_recordset(%(changes)s::jsonb)
            AS said (case_id uuid, changed_at timestamptz, resolution text, resolved_at timestamptz)
    ), holders AS (
        SELECT said.case_id,
            coalesce(
                array_agg(DISTINCT agency) FILTER (WHERE state = ANY(%(working)s)),
                array_agg(DISTINCT agency) FILTER (WHERE state = 'completed'),
                '{}') AS agencies
        FROM said LEFT JOIN referrals USING (case_id) GROUP BY said.case_id
    )
    UPDATE cases SET
        agencies = holders.agencies,
        updated_at = greatest(updated_at, said.changed_at),
        status = CASE WHEN said.resolution IS NULL THEN status ELSE 'closed' END,
        resolution = coalesce(said.resolution, cases.resolution),
        closed_at = coalesce(said.resolved_at, closed_at)
    FROM said JOIN holders USING (case_id)
    WHERE cases.case_id = said.case_id
"""


async def save(tx: Transaction, progress: CaseProgress) -> None:
    """Write everything that a batch changes."""
    if progress.notes:
        await tx.execute(_ADD_NOTES, (rows_to_json(progress.notes),))
    if progress.handovers:
        await tx.execute(_SET_REFERRALS, (rows_to_json(progress.handovers),))
    if progress.changes:
        values: dict[str, Any] = {"changes": rows_to_json(progress.changes), "working": list(ACTIVE_STATES)}
        await tx.execute(_SET_CASES, values)
