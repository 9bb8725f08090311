"""Reads for staff: the triage queue, and everything recorded about one case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.routing.store.evidence import TriageRecord, list_triage
from shared.kit.database.database import Transaction
from shared.kit.database.rows import read_rows


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case; `report` is the JSON of intake's `case.submitted`, with its personal data sealed."""

    case_id: UUID
    report: str
    resolution: str | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredReferral:
    """A referral in its present state; `attempt` counts the referrals of one need from 1."""

    referral_id: UUID
    need_id: UUID
    agency: str
    program: str
    attempt: int
    state: str
    reason: str | None
    answer_by: datetime | None
    record_only: bool


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One change of a referral; `words` are the agency's own, sealed under the person's key."""

    referral_id: UUID
    change: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    cause: UUID
    reason: str | None
    why: str
    words: str | None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything recorded about one case; changes in the order in which they were applied."""

    case: StoredCase
    referrals: Sequence[StoredReferral]
    changes: Sequence[StoredChange]
    triage: Sequence[TriageRecord]


@dataclass(frozen=True, slots=True)
class QueuedNeed:
    """A need in the triage queue, since when, and why no program was asked."""

    need_id: UUID
    case_id: UUID
    need: str
    service_code: str
    district: str | None
    reason: str
    why: str
    since: datetime


_QUEUE: Final = """
    -- The triage queue, the longest waiting first (index triage_waiting).
    SELECT need_id, case_id, need, service_code, district, reason, why, entered_at AS since FROM triage
    WHERE ended_at IS NULL ORDER BY entered_at LIMIT %(most)s
"""

_CASE: Final = "SELECT case_id, report, resolution, resolved_at FROM cases WHERE case_id = %(case)s"

_REFERRALS: Final = """
    -- The referrals of a case, those of one need in the order in which they were made.
    SELECT referral_id, need_id, agency, program, attempt, state, reason, answer_by, record_only FROM referrals
    WHERE case_id = %(case)s ORDER BY attempt
"""

_CHANGES: Final = """
    -- The history of these referrals, that of each in order.
    SELECT referral_id, change, occurred_at, recorded_at, by, cause, reason, why, words FROM referral_changes
    WHERE case_id = %(case)s ORDER BY number
"""


async def list_triage_queue(tx: Transaction, most: int) -> list[QueuedNeed]:
    """List the needs that wait for a person to choose a program, the longest waiting first."""
    return await read_rows(tx, QueuedNeed, _QUEUE, most=most)


async def find_case_file(tx: Transaction, case_id: UUID) -> CaseFile | None:
    """Return everything recorded about one case; None for a case that routing has never received."""
    cases = await read_rows(tx, StoredCase, _CASE, case=case_id)
    if not cases:
        return None
    return CaseFile(
        case=cases[0],
        referrals=await read_rows(tx, StoredReferral, _REFERRALS, case=case_id),
        changes=await read_rows(tx, StoredChange, _CHANGES, case=case_id),
        triage=await list_triage(tx, case_id),
    )
