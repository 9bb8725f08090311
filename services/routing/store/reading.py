"""Reads for people: the triage desk's list, and what became of one case."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.routing.tables import CaseRow, ReferralChangeRow, ReferralRow, TriageRow


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that is kept of one case."""

    case: CaseRow
    referrals: Sequence[ReferralRow]
    changes: Sequence[ReferralChangeRow]
    triage: Sequence[TriageRow]


async def list_waiting(session: AsyncSession, limit: int) -> Sequence[TriageRow]:
    """List the needs that wait for a person, the longest first."""
    waiting = select(TriageRow).where(col(TriageRow.ended_at).is_(None)).order_by(col(TriageRow.entered_at))
    return (await session.exec(waiting.limit(limit))).all()


async def find_case_file(session: AsyncSession, case_id: UUID) -> CaseFile | None:
    """Find everything that is kept of one case."""
    case = await session.get(CaseRow, case_id)
    if case is None:
        return None
    referrals = select(ReferralRow).where(ReferralRow.case_id == case_id).order_by(col(ReferralRow.attempt))
    changes = select(ReferralChangeRow).where(ReferralChangeRow.case_id == case_id)
    triage = select(TriageRow).where(TriageRow.case_id == case_id).order_by(col(TriageRow.entered_at))
    return CaseFile(
        case=case,
        referrals=(await session.exec(referrals)).all(),
        changes=(await session.exec(changes.order_by(col(ReferralChangeRow.number)))).all(),
        triage=(await session.exec(triage)).all(),
    )
