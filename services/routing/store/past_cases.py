"""Reads past cases for explanations and what-if runs; nothing is locked, so nothing may be disclosed by it."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.routing.domain.what_if import PastCase
from services.routing.store.cases import read_cases
from shared.kit.database.database import Transaction
from shared.kit.vault.consents import list_consents

_READ_ONLY: Final = "SET TRANSACTION READ ONLY"

_SELECT_BY_ID: Final = """
    -- The case with this id, or with a referral of this id.
    SELECT case_id FROM cases WHERE case_id = %(id)s
    UNION ALL SELECT case_id FROM referrals WHERE referral_id = %(id)s LIMIT 1
"""

_SELECT_BY_NUMBER: Final = """
    -- The case of a service request.
    SELECT case_id FROM cases WHERE service_request_id = %s LIMIT 1
"""

_SELECT_ROUTED_AT: Final = """
    -- When these cases were routed.
    SELECT case_id, routed_at FROM cases WHERE case_id = ANY(%s)
"""

_COUNT_SINCE: Final = """
    -- How many cases were routed since a moment.
    SELECT count(*) FROM cases WHERE routed_at >= %s
"""

_SELECT_PAGE: Final = """
    -- The next cases, in the order in which they were routed (index cases_by_time).
    SELECT routed_at, case_id FROM cases WHERE (routed_at, case_id) > (%s, %s) ORDER BY routed_at, case_id LIMIT %s
"""


class CasePosition(NamedTuple):
    """A position among all cases, which are ordered by when they were routed and by their ids."""

    routed_at: datetime
    case_id: UUID


async def forbid_writing(tx: Transaction) -> None:
    """Make the transaction read-only."""
    await tx.execute(_READ_ONLY)


async def find_case(tx: Transaction, reference: str) -> UUID | None:
    """Find a case by its own id, by the id of a referral in it, or by the number of the service request."""
    try:
        found = await tx.execute(_SELECT_BY_ID, {"id": UUID(reference)})
    except ValueError:
        found = await tx.execute(_SELECT_BY_NUMBER, (reference,))
    row = await found.fetchone()
    return row[0] if row else None


async def find_past(tx: Transaction, case_id: UUID) -> PastCase | None:
    """Find one case with its consents and the time at which it was routed."""
    return next(iter(await _list_past(tx, [case_id])), None)


async def count_since(tx: Transaction, since: datetime) -> int:
    """Return the number of cases that were routed since a moment."""
    row = await (await tx.execute(_COUNT_SINCE, (since,))).fetchone()
    return int(row[0]) if row else 0


async def list_past(tx: Transaction, after: CasePosition, most: int) -> tuple[list[PastCase], CasePosition | None]:
    """List the next cases, at most `most`, and the position of the last one; None if there are no more."""
    rows = await (await tx.execute(_SELECT_PAGE, (*after, most))).fetchall()
    return await _list_past(tx, [row[1] for row in rows]), CasePosition(*rows[-1]) if rows else None


async def _list_past(tx: Transaction, case_ids: list[UUID]) -> list[PastCase]:
    times = dict(await (await tx.execute(_SELECT_ROUTED_AT, (case_ids,))).fetchall())
    cases, consents = await read_cases(tx, case_ids), await list_consents(tx, case_ids)
    return [PastCase(cases[case_id], times[case_id], tuple(consents.get(case_id, ()))) for case_id in case_ids]
