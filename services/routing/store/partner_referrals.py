"""An agency's own referrals, as the partner API looks for them."""

from typing import NamedTuple
from uuid import UUID

from shared.kit.database.database import Transaction

_CASE = """
    -- The case of one referral of one agency.
    SELECT case_id FROM referrals WHERE agency = %s AND referral_id = %s
"""

_OPEN = """
    -- The next open referrals of an agency, by their ids.
    SELECT referral_id, case_id FROM referrals
    WHERE agency = %s AND referral_id > %s AND state IN ('requested', 'accepted', 'in-progress', 'on-hold')
    ORDER BY referral_id LIMIT %s
"""

_ALL = """
    -- The next referrals of an agency, by their ids.
    SELECT referral_id, case_id FROM referrals WHERE agency = %s AND referral_id > %s ORDER BY referral_id LIMIT %s
"""

BEFORE_ALL = UUID(int=0)


class PageRequest(NamedTuple):
    """Which referrals of an agency are wanted: those after one id, so many at most."""

    agency: str
    open_only: bool
    after: UUID
    limit: int


async def find_case_of(tx: Transaction, agency: str, referral_id: UUID) -> UUID | None:
    """Find the case of a referral, if it is the agency's own."""
    row = await (await tx.execute(_CASE, (agency, referral_id), binary=True)).fetchone()
    return row[0] if row else None


async def list_own(tx: Transaction, page: PageRequest) -> list[tuple[UUID, UUID]]:
    """List (referral, case) pairs of an agency, in the order of the referrals' ids."""
    query = _OPEN if page.open_only else _ALL
    rows = await tx.execute(query, (page.agency, page.after, page.limit), binary=True)
    return [(referral_id, case_id) for referral_id, case_id in await rows.fetchall()]
