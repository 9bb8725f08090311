"""Consents: granted, listed and withdrawn, each with the database's own time.

Releases compare these times with the database's clock, so that a wrong clock of a process has no effect.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.intake.domain.consents import Permission, StoredConsent
from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class LockedCase:
    """A case while a consent is granted; `suppressed_event` is its `CaseSubmitted` while it is not announced."""

    case_id: UUID
    person_id: UUID
    status: str
    announced: bool
    suppressed_event: str | None


@dataclass(frozen=True, slots=True)
class ConsentGrant:
    """A consent to be stored; `how` is form, api or caseworker, and `record` the sealed record of its signature."""

    consent_id: UUID
    permission: Permission
    how: str
    granted_by: str
    record: str | None = None


_LOCK_CASE_SQL = """
    -- Lock a case that is not erased: of two consents that are granted at the same time, one announces it.
    SELECT case_id, person_id, status, announced, unsaid AS suppressed_event FROM cases
    WHERE case_id = %s AND erased_at IS NULL FOR UPDATE
"""

_FIND_SERVICE_AND_NEEDS_SQL = "SELECT service_code, needs FROM cases WHERE case_id = %s"

_MARK_ANNOUNCED_SQL = "UPDATE cases SET announced = true, unsaid = NULL WHERE case_id = %s"

_INSERT_CONSENT_SQL = """
    -- Store a consent, once.
    INSERT INTO vault.consents (consent_id, case_id, person_id, recipients, purpose, groups, how, record, granted_by,
        granted_at, ends_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp(), %s)
    ON CONFLICT (consent_id) DO NOTHING
    RETURNING granted_at
"""

_WITHDRAW_SQL = """
    -- Withdraw a consent of this case, once.
    UPDATE vault.consents SET withdrawn_at = clock_timestamp()
    WHERE consent_id = %s AND case_id = %s AND withdrawn_at IS NULL
    RETURNING withdrawn_at
"""

_WITHDRAW_ALL_SQL = """
    -- Withdraw every consent of a person, and delete the records of their signatures. Both parts see the rows as they
    -- were before, so that `valid` holds the consents that end with this.
    WITH valid AS (
        SELECT consent_id FROM vault.consents WHERE person_id = %s AND withdrawn_at IS NULL
    ), emptied AS (
        UPDATE vault.consents SET withdrawn_at = coalesce(withdrawn_at, clock_timestamp()), record = NULL
        WHERE person_id = %s RETURNING consent_id, withdrawn_at
    )
    SELECT consent_id, withdrawn_at FROM emptied JOIN valid USING (consent_id) ORDER BY withdrawn_at, consent_id
"""

_LIST_CONSENTS_SQL = """
    -- The consents of a case, in the order in which they were granted.
    SELECT consent_id, recipients, purpose, groups, how, granted_at, ends_at, withdrawn_at
    FROM vault.consents WHERE case_id = %s ORDER BY granted_at, consent_id
"""


async def lock_case(tx: Transaction, case_id: UUID) -> LockedCase | None:
    """Return a case, locked until the transaction ends; None for an unknown or erased one."""
    async with tx.cursor(row_factory=class_row(LockedCase)) as cursor:
        await cursor.execute(_LOCK_CASE_SQL, (case_id,))
        return await cursor.fetchone()


async def find_service_and_needs(connection: Transaction, case_id: UUID) -> tuple[str, tuple[str, ...]]:
    """Return the service and the needs of a case; both are empty for an unknown case."""
    row = await (await connection.execute(_FIND_SERVICE_AND_NEEDS_SQL, (case_id,))).fetchone()
    return (row[0], tuple(row[1])) if row else ("", ())


async def mark_announced(tx: Transaction, case_id: UUID) -> None:
    """Record that a case is announced, and delete its suppressed event."""
    await tx.execute(_MARK_ANNOUNCED_SQL, (case_id,))


async def insert_consent(tx: Transaction, case: LockedCase, grant: ConsentGrant) -> datetime | None:
    """Store a consent, and return when it was granted; None when it was stored before."""
    permission = grant.permission
    groups = [group.value for group in permission.groups]
    what = (list(permission.recipients), permission.purpose, groups)
    values = (grant.consent_id, case.case_id, case.person_id, *what, grant.how, grant.record, grant.granted_by)
    result = await tx.execute(_INSERT_CONSENT_SQL, (*values, permission.ends_at))
    row = await result.fetchone()
    return row[0] if row else None


async def withdraw(tx: Transaction, case_id: UUID, consent_id: UUID) -> datetime | None:
    """Withdraw a consent, and return when; None for an unknown consent, and for one that was withdrawn before."""
    row = await (await tx.execute(_WITHDRAW_SQL, (consent_id, case_id))).fetchone()
    return row[0] if row else None


async def withdraw_all(tx: Transaction, person_id: UUID) -> list[tuple[UUID, datetime]]:
    """Withdraw every consent of a person; returns those that were valid until now, and when each ended."""
    rows = await tx.execute(_WITHDRAW_ALL_SQL, (person_id, person_id))
    return list(await rows.fetchall())


async def list_consents(connection: Transaction, case_id: UUID) -> list[StoredConsent]:
    """Return every consent of a case, whether it is valid or not."""
    async with connection.cursor(row_factory=class_row(StoredConsent)) as cursor:
        await cursor.execute(_LIST_CONSENTS_SQL, (case_id,))
        return await cursor.fetchall()
