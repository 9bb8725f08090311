"""Finds an agency's own referrals for the partner API."""

from typing import Final, NamedTuple
from uuid import UUID

from shared.kit.database.database import Transaction

_SELECT_CASE: Final = """
    -- The case of one referral of one agency.
    SELECT case_id FROM referrals WHERE agency = %s AND referral_id = %s
"""

_SELECT_OPEN: Final = """
    -- The next open referrals of an agency, by their ids (index referrals_open_by_agency).
    SELECT referral_id, case_id FROM referrals
    WHERE agency = %s AND referral_id > %s AND state IN ('requested', 'accepted', 'in-progress', 'on-hold')
    ORDER BY referral_id LIMIT %s
"""

_SELECT_ALL: Final = """
    -- The next referrals of an agency, by their ids (index referrals_by_agency).
    SELECT referral_id, case_id FROM referrals WHERE agency = %s AND referral_id > %s ORDER BY referral_id LIMIT %s
"""

BEFORE_ALL: Final = UUID(int=0)
"""Sorts before every referral id: the first page comes after it."""


class PageRequest(NamedTuple):
    """A page of an agency's referrals: those whose id comes after `after`, at most `limit`."""

    agency: str
    open_only: bool
    after: UUID
    limit: int


async def find_case_of(tx: Transaction, agency: str, referral_id: UUID) -> UUID | None:
    """Find the case of a referral; None for an unknown referral and for another agency's."""
    row = await (await tx.execute(_SELECT_CASE, (agency, referral_id), binary=True)).fetchone()
    return row[0] if row else None


async def list_own(tx: Transaction, page: PageRequest) -> list[tuple[UUID, UUID]]:
    """List the referral and case ids of a page, in the order of the referral ids."""
    query = _SELECT_OPEN if page.open_only else _SELECT_ALL
    rows = await tx.execute(query, (page.agency, page.after, page.limit), binary=True)
    return [(referral_id, case_id) for referral_id, case_id in await rows.fetchall()]
