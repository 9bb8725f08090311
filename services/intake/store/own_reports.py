"""The report that a token opens: found, and withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import dict_row

from services.intake.domain.case import CaseSummary
from services.intake.domain.tokens import TokenClaim
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction

_FIND_REPORT_SQL = """
    -- The case of a token, if the hash of the token's secret is the stored one.
    SELECT case_id, service_request_id, service_code, needs, channel, cell, district, status, resolution, agencies,
        submitted_at, updated_at, closed_at, withdrawn_at, person_id, sealed, announced, erased_at
    FROM cases WHERE case_id = %s AND token_hash = %s
"""

_NOT_IN_SUMMARY = ("person_id", "sealed", "announced", "erased_at")

_WITHDRAW_SQL = """
    -- Close an open case as withdrawn, and add a note to its history.
    WITH closed AS (
        UPDATE cases SET status = 'closed', resolution = 'withdrawn', withdrawn_at = %(now)s, closed_at = %(now)s,
            updated_at = %(now)s
        WHERE case_id = %(case_id)s AND token_hash = %(token_hash)s AND status = 'open'
        RETURNING case_id, announced
    ), noted AS (
        INSERT INTO notes (event_id, case_id, sequence, happened_at, kind)
        SELECT %(event_id)s, case_id, 0, %(now)s, 'withdrawn' FROM closed
    )
    SELECT announced FROM closed
"""


@dataclass(frozen=True, slots=True)
class OwnReport:
    """A case with the sealed data of its person."""

    case: CaseSummary
    person_id: UUID
    sealed: Mapping[FieldGroup, str]
    announced: bool
    erased_at: datetime | None

    @property
    def accepts_consents(self) -> bool:
        """Whether its person can still grant a consent."""
        return self.case.status == "open" and self.erased_at is None


async def find_report(connection: Transaction, claim: TokenClaim) -> OwnReport | None:
    """Find the report that a token opens; None where the case is unknown or the secret is wrong."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_FIND_REPORT_SQL, (claim.case_id, claim.token_hash))
        row = await cursor.fetchone()
    if row is None:
        return None
    person_id, sealed, announced, erased_at = (row.pop(name) for name in _NOT_IN_SUMMARY)
    blocks = {FieldGroup(group): block for group, block in sealed.items()}
    return OwnReport(CaseSummary(**row), person_id, blocks, announced, erased_at)


async def withdraw_report(tx: Transaction, claim: TokenClaim, event_id: UUID, now: datetime) -> bool | None:
    """Withdraw an open report; returns whether the case is announced, and None when nothing was withdrawn.

    Nothing is withdrawn where the token opens no report, or the case is closed already. `event_id` is that
    of the `CaseWithdrawn` event, and the key of the note.
    """
    values = {"now": now, "case_id": claim.case_id, "token_hash": claim.token_hash, "event_id": event_id}
    result = await tx.execute(_WITHDRAW_SQL, values)
    row = await result.fetchone()
    return row[0] if row else None
