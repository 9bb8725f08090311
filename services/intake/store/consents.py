"""Consents: granted, listed and withdrawn, each with the database's own time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.consents import Permission, StoredConsent
from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class LockedCase:
    """What must be known of a case before something is granted: whose it is, and what is not said of it yet."""

    case_id: UUID
    person_id: UUID
    status: str
    announced: bool
    unsaid: str | None


@dataclass(frozen=True, slots=True)
class ConsentGrant:
    """A consent to be kept; `how` is form, api or caseworker, and `record` the sealed record of what was signed."""

    consent_id: UUID
    permission: Permission
    how: str
    granted_by: str
    record: str | None = None


_LOCK_CASE = """
    -- Hold a case that is not erased: of two who grant something at once, one announces it.
    SELECT case_id, person_id, status, announced, unsaid FROM cases
    WHERE case_id = %s AND erased_at IS NULL FOR UPDATE
"""

_FIND_ASKED = "SELECT service_code, needs FROM cases WHERE case_id = %s"

_SAID = "UPDATE cases SET announced = true, unsaid = NULL WHERE case_id = %s"

_GRANT = """
    -- Keep a consent, once.
    INSERT INTO vault.consents (consent_id, case_id, person_id, recipients, purpose, groups, how, record, granted_by,
        granted_at, ends_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp(), %s)
    ON CONFLICT (consent_id) DO NOTHING
    RETURNING granted_at
"""

_WITHDRAW = """
    -- Withdraw a consent of this case, once.
    UPDATE vault.consents SET withdrawn_at = clock_timestamp()
    WHERE consent_id = %s AND case_id = %s AND withdrawn_at IS NULL
    RETURNING withdrawn_at
"""

_WITHDRAW_ALL = """
    -- Withdraw whatever a person has consented to, and let go of the records of it.
    WITH before AS (
        SELECT consent_id FROM vault.consents WHERE person_id = %s AND withdrawn_at IS NULL
    ), emptied AS (
        UPDATE vault.consents SET withdrawn_at = coalesce(withdrawn_at, clock_timestamp()), record = NULL
        WHERE person_id = %s RETURNING consent_id, withdrawn_at
    )
    SELECT consent_id, withdrawn_at FROM emptied JOIN before USING (consent_id) ORDER BY withdrawn_at, consent_id
"""

_LIST = """
    -- The consents of a case, in the order in which they were granted.
    SELECT consent_id, recipients, purpose, groups, how, granted_at, ends_at, withdrawn_at
    FROM vault.consents WHERE case_id = %s ORDER BY granted_at, consent_id
"""


async def lock_case(tx: Transaction, case_id: UUID) -> LockedCase | None:
    """Return a case, locked until the transaction ends; None for one that is not there, or erased."""
    async with tx.cursor(row_factory=class_row(LockedCase)) as cursor:
        await cursor.execute(_LOCK_CASE, (case_id,))
        return await cursor.fetchone()


async def find_service_and_needs(connection: Transaction, case_id: UUID) -> tuple[str, tuple[str, ...]]:
    """Return the service and the needs of a case; neither where there is no such case."""
    row = await (await connection.execute(_FIND_ASKED, (case_id,))).fetchone()
    return (row[0], tuple(row[1])) if row else ("", ())


async def mark_announced(tx: Transaction, case_id: UUID) -> None:
    """Note that a case is announced now."""
    await tx.execute(_SAID, (case_id,))


async def grant(tx: Transaction, case: LockedCase, given: ConsentGrant) -> datetime | None:
    """Keep a consent, and return when it was granted; None when it was kept before."""
    permission = given.permission
    groups = [group.value for group in permission.groups]
    what = (list(permission.recipients), permission.purpose, groups)
    values = (given.consent_id, case.case_id, case.person_id, *what, given.how, given.record, given.granted_by)
    result = await tx.execute(_GRANT, (*values, permission.ends_at))
    row = await result.fetchone()
    return row[0] if row else None


async def withdraw(tx: Transaction, case_id: UUID, consent_id: UUID) -> datetime | None:
    """Withdraw a consent, and return when; None when there is none, or it was withdrawn before."""
    row = await (await tx.execute(_WITHDRAW, (consent_id, case_id))).fetchone()
    return row[0] if row else None


async def withdraw_all(tx: Transaction, person_id: UUID) -> list[tuple[UUID, datetime]]:
    """Withdraw everything that a person has consented to; returns what counted until now, and when it ended."""
    rows = await tx.execute(_WITHDRAW_ALL, (person_id, person_id))
    return list(await rows.fetchall())


async def list_consents(connection: Transaction, case_id: UUID) -> list[StoredConsent]:
    """List every consent of a case."""
    async with connection.cursor(row_factory=class_row(StoredConsent)) as cursor:
        await cursor.execute(_LIST, (case_id,))
        return await cursor.fetchall()
