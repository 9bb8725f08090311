"""Takes cases out of the database to decide about them; they stay locked until the transaction ends."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.routing.domain.case import CaseState, Resolution, TriageEntry
from services.routing.domain.referral import Referral, State, Transition
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal

_READ = """
    -- Cases as they are at the moment.
    SELECT case_id, report, resolution, resolved_at FROM cases WHERE case_id = ANY(%s::text::uuid[]) ORDER BY case_id
"""

_LOCK = f"""
    -- Lock cases, always in the order of their ids so that two batches never wait for one another in a circle.
    {_READ} FOR UPDATE
"""

_REFERRALS = """
    -- Every referral of these cases, those of one need in the order in which they were made.
    SELECT case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by, due_at,
        reminders, state, last_change, reason, changes, record_only
    FROM referrals WHERE case_id = ANY(%s::text::uuid[]) ORDER BY case_id, attempt
"""

_WAITING = """
    -- The needs of these cases that wait for a person.
    SELECT case_id, need_id, entered_at, reason, why FROM triage
    WHERE case_id = ANY(%s::text::uuid[]) AND ended_at IS NULL
"""

_DUE = """
    -- Lock the cases of the referrals that have waited longest beyond their time, but for those that somebody works on.
    SELECT case_id FROM cases
    WHERE case_id IN (SELECT case_id FROM referrals WHERE due_at <= %s ORDER BY due_at LIMIT %s)
    ORDER BY case_id FOR UPDATE SKIP LOCKED
"""

_OF_NEED = """
    -- The case whose need waits for a person.
    SELECT case_id FROM triage WHERE need_id = %s AND ended_at IS NULL
"""


async def lock_cases(tx: Transaction, case_ids: Iterable[UUID]) -> dict[UUID, CaseState]:
    """Lock those of these cases that are known, and return them."""
    return await _load(tx, _LOCK, case_ids)


async def read_cases(tx: Transaction, case_ids: Iterable[UUID]) -> dict[UUID, CaseState]:
    """Return those of these cases that are known, for somebody who only looks."""
    return await _load(tx, _READ, case_ids)


async def _load(tx: Transaction, statement: str, case_ids: Iterable[UUID]) -> dict[UUID, CaseState]:
    cursor = await tx.execute(statement, (array_literal(case_ids),), binary=True)
    cases = {
        case_id: CaseState(
            CaseSubmitted.model_validate_json(report),
            report,
            resolution=Resolution(resolution) if resolution else None,
            resolved_at=resolved_at,
        )
        for case_id, report, resolution, resolved_at in await cursor.fetchall()
    }
    if cases:
        await _add_referrals(tx, cases)
        await _add_waiting(tx, cases)
    return cases


async def lock_due(tx: Transaction, now: datetime, limit: int) -> dict[UUID, CaseState]:
    """Lock some of the cases that have a referral whose time has come."""
    cursor = await tx.execute(_DUE, (now, limit), binary=True)
    return await lock_cases(tx, [row[0] for row in await cursor.fetchall()])


async def find_case_of_waiting_need(tx: Transaction, need_id: UUID) -> UUID | None:
    """Find the case of a need that waits for a person."""
    cursor = await tx.execute(_OF_NEED, (need_id,), binary=True)
    row = await cursor.fetchone()
    return row[0] if row else None


async def _add_referrals(tx: Transaction, cases: dict[UUID, CaseState]) -> None:
    cursor = await tx.execute(_REFERRALS, (array_literal(cases),), binary=True)
    for case_id, *columns in await cursor.fetchall():
        referral = _referral(columns)
        cases[case_id].referrals[referral.referral_id] = referral


def _referral(columns: Sequence[Any]) -> Referral:
    *facts, state, last_change, reason, changes, record_only = columns
    known = Reason(reason) if reason else None
    row: Sequence[Any] = (*facts, State(state), Transition(last_change), known, changes, record_only)
    return Referral(*row)


async def _add_waiting(tx: Transaction, cases: dict[UUID, CaseState]) -> None:
    cursor = await tx.execute(_WAITING, (array_literal(cases),), binary=True)
    for case_id, need_id, since, reason, why in await cursor.fetchall():
        case = cases[case_id]
        case.waiting[need_id] = TriageEntry(case.need(need_id), since, Reason(reason), why)
