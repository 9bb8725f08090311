"""Stores emergency accesses: what was opened, why (sealed), and what a reviewer says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.routing.domain.partner_access import GrantedAccess
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction

_INSERT_ACCESS: Final = """
    -- An access that is opened now.
    INSERT INTO emergency_accesses (access_id, case_id, referral_id, agency, groups, opened_at, ends_at, caseworker,
        reason)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_SELECT_OPEN: Final = """
    -- What an agency has opened of a referral and is still open.
    SELECT access_id, referral_id, agency, groups, opened_at, ends_at FROM emergency_accesses
    WHERE referral_id = %s AND agency = %s AND ends_at > %s ORDER BY opened_at
"""

_SELECT_FOR_REVIEW: Final = """
    -- Accesses with the reports that they are about: first those without a review, the oldest of them first.
    SELECT e.access_id, e.referral_id, e.agency, e.groups, e.opened_at, e.ends_at, c.report, e.caseworker, e.reason,
        e.reviewed_at, e.reviewed_by, e.justified, e.note
    FROM emergency_accesses e JOIN cases c USING (case_id)
    ORDER BY e.reviewed_at IS NOT NULL, e.reviewed_at DESC, e.opened_at LIMIT %s
"""

_LOCK_ACCESS: Final = """
    -- The report that one access is about. The lock lets one reviewer at a time review the access.
    SELECT c.report, e.reviewed_at FROM emergency_accesses e JOIN cases c USING (case_id)
    WHERE e.access_id = %s FOR UPDATE OF e
"""

_UPDATE_REVIEW: Final = """
    -- What a reviewer says of an access.
    UPDATE emergency_accesses SET reviewed_at = %s, reviewed_by = %s, justified = %s, note = %s WHERE access_id = %s
"""

MAX_LISTED: Final = 200
"""Accesses that are listed for review at most."""


@dataclass(frozen=True, slots=True)
class StoredAccess:
    """An access with its review: `report` is the JSON of intake's event, `reason` and `note` are sealed."""

    access: GrantedAccess
    report: str
    caseworker: str
    reason: str
    reviewed_at: datetime | None
    reviewed_by: str | None
    justified: bool | None
    note: str | None


@dataclass(frozen=True, slots=True)
class AccessReview:
    """What a reviewer says of an access."""

    access_id: UUID
    by: str
    justified: bool


async def insert_access(tx: Transaction, case_id: UUID, access: GrantedAccess, caseworker: str, reason: str) -> None:
    """Store an access; `reason` is sealed under the key of the report's person."""
    groups = [group.value for group in FieldGroup if group in access.groups]
    moments = (access.opened_at, access.ends_at)
    await tx.execute(
        _INSERT_ACCESS,
        (access.access_id, case_id, access.referral_id, access.agency, groups, *moments, caseworker, reason),
    )


async def list_open_accesses(
    tx: Transaction, agency: str, referral_id: UUID, now: datetime
) -> tuple[GrantedAccess, ...]:
    """List the accesses of an agency to a referral that are still open, the oldest first."""
    rows = await tx.execute(_SELECT_OPEN, (referral_id, agency, now), binary=True)
    return tuple([_access(row) for row in await rows.fetchall()])


async def list_for_review(tx: Transaction) -> list[StoredAccess]:
    """List accesses, those without a review first."""
    rows = await tx.execute(_SELECT_FOR_REVIEW, (MAX_LISTED,), binary=True)
    return [StoredAccess(_access(row[:6]), *row[6:]) for row in await rows.fetchall()]


async def lock_for_review(tx: Transaction, access_id: UUID) -> tuple[str, bool] | None:
    """Lock an access until the transaction ends; return its report as JSON, and whether it is reviewed already."""
    row = await (await tx.execute(_LOCK_ACCESS, (access_id,), binary=True)).fetchone()
    return (row[0], row[1] is not None) if row else None


async def save_review(tx: Transaction, review: AccessReview, at: datetime, note: str | None) -> None:
    """Store what a reviewer says; `note` is sealed, and None where the person was erased."""
    await tx.execute(_UPDATE_REVIEW, (at, review.by, review.justified, note, review.access_id))


def _access(columns: Sequence[Any]) -> GrantedAccess:
    access_id, referral_id, agency, groups, opened_at, ends_at = columns
    return GrantedAccess(access_id, referral_id, agency, frozenset(map(FieldGroup, groups)), opened_at, ends_at)
