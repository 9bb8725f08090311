"""Reads cases to decide about them: locked until the transaction ends, or as they are now."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.routing.domain.case import CaseState, Resolution, TriageEntry
from services.routing.domain.referral import Referral, State, Transition
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal

_SELECT_CASES: Final = """
    -- Cases as they are now.
    SELECT case_id, report, resolution, resolved_at FROM cases WHERE case_id = ANY(%s::text::uuid[]) ORDER BY case_id
"""

_LOCK_CASES: Final = f"""
    -- Lock cases, always in the order of their ids, so that two batches cannot deadlock.
    {_SELECT_CASES} FOR UPDATE
"""

_SELECT_REFERRALS: Final = """
    -- Every referral of these cases, those of one need in the order in which they were made.
    SELECT case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by, due_at,
        reminders, state, last_change, reason, changes, record_only
    FROM referrals WHERE case_id = ANY(%s::text::uuid[]) ORDER BY case_id, attempt
"""

_SELECT_OPEN_TRIAGE: Final = """
    -- The needs of these cases that are in the triage queue.
    SELECT case_id, need_id, entered_at, reason, why FROM triage
    WHERE case_id = ANY(%s::text::uuid[]) AND ended_at IS NULL
"""

_LOCK_DUE_CASES: Final = """
    -- Lock the cases of the referrals that are overdue longest; skip those that another transaction works on.
    SELECT case_id FROM cases
    WHERE case_id IN (SELECT case_id FROM referrals WHERE due_at <= %s ORDER BY due_at LIMIT %s)
    ORDER BY case_id FOR UPDATE SKIP LOCKED
"""

_CASE_OF_QUEUED_NEED: Final = "SELECT case_id FROM triage WHERE need_id = %s AND ended_at IS NULL"


async def lock_cases(tx: Transaction, case_ids: Iterable[UUID]) -> dict[UUID, CaseState]:
    """Lock those of these cases that exist until the transaction ends, and return them."""
    return await _load(tx, _LOCK_CASES, case_ids)


async def read_cases(tx: Transaction, case_ids: Iterable[UUID]) -> dict[UUID, CaseState]:
    """Return those of these cases that exist, without a lock: nothing may be decided by them."""
    return await _load(tx, _SELECT_CASES, case_ids)


async def lock_due_cases(tx: Transaction, now: datetime, limit: int) -> dict[UUID, CaseState]:
    """Lock some of the cases that have a referral whose deadline has passed, and return them."""
    cursor = await tx.execute(_LOCK_DUE_CASES, (now, limit), binary=True)
    return await lock_cases(tx, [row[0] for row in await cursor.fetchall()])


async def find_case_of_queued_need(tx: Transaction, need_id: UUID) -> UUID | None:
    """Find the case of a need in the triage queue."""
    cursor = await tx.execute(_CASE_OF_QUEUED_NEED, (need_id,), binary=True)
    row = await cursor.fetchone()
    return row[0] if row else None


async def _load(tx: Transaction, statement: str, case_ids: Iterable[UUID]) -> dict[UUID, CaseState]:
    cursor = await tx.execute(statement, (array_literal(case_ids),), binary=True)
    rows = await cursor.fetchall()
    if not rows:
        return {}
    # Read after the lock was given: what another transaction has just committed is in them.
    found = [row[0] for row in rows]
    referrals, triage = await _list_referrals(tx, found), await _list_open_triage(tx, found)
    cases = {}
    for case_id, text, resolution, resolved_at in rows:
        report = CaseSubmitted.model_validate_json(text)
        cases[case_id] = CaseState(
            report,
            text,
            referrals=referrals[case_id],
            triage=_triage_entries(report, triage[case_id]),
            resolution=Resolution(resolution) if resolution else None,
            resolved_at=resolved_at,
        )
    return cases


async def _list_referrals(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, dict[UUID, Referral]]:
    cursor = await tx.execute(_SELECT_REFERRALS, (array_literal(case_ids),), binary=True)
    found: dict[UUID, dict[UUID, Referral]] = defaultdict(dict)
    for case_id, *columns in await cursor.fetchall():
        referral = _referral(columns)
        found[case_id][referral.referral_id] = referral
    return found


def _referral(columns: Sequence[Any]) -> Referral:
    *facts, state, last_change, reason, changes, record_only = columns
    known = Reason(reason) if reason else None
    row: Sequence[Any] = (*facts, State(state), Transition(last_change), known, changes, record_only)
    return Referral(*row)


async def _list_open_triage(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, list[Sequence[Any]]]:
    cursor = await tx.execute(_SELECT_OPEN_TRIAGE, (array_literal(case_ids),), binary=True)
    found: dict[UUID, list[Sequence[Any]]] = defaultdict(list)
    for case_id, *columns in await cursor.fetchall():
        found[case_id].append(columns)
    return found


def _triage_entries(report: CaseSubmitted, rows: Iterable[Sequence[Any]]) -> dict[UUID, TriageEntry]:
    needs = {need.need_id: need for need in report.needs}
    return {need_id: TriageEntry(needs[need_id], since, Reason(reason), why) for need_id, since, reason, why in rows}
