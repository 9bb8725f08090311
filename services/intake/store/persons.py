"""The person of a case: what is stored about them, and how it is erased."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from services.intake.store import consents
from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport, export_subject
from shared.kit.vault.consents import lock_for_withdrawal

_FIND_CASE_SQL = "SELECT case_id FROM cases WHERE case_id::text = %(case)s OR service_request_id = %(case)s"

_EXPORT_SQL: Final[Mapping[str, LiteralString]] = {
    "case": "SELECT to_jsonb(c) - '{token_hash,sealed,record,unsaid}'::text[] FROM cases AS c WHERE case_id = %(case)s",
    "history": "SELECT to_jsonb(n) - 'case_id' FROM notes AS n WHERE case_id = %(case)s ORDER BY happened_at, sequence",
    "referrals": "SELECT to_jsonb(r) - 'case_id' FROM referrals AS r WHERE case_id = %(case)s ORDER BY referral_id",
    "consents": "SELECT to_jsonb(c) - 'case_id' FROM vault.consents AS c WHERE case_id = %(case)s ORDER BY granted_at",
    "disclosures": "SELECT to_jsonb(d) - 'case_id' FROM disclosures AS d WHERE case_id = %(case)s ORDER BY given_at",
    "recalls": "SELECT to_jsonb(r) - 'case_id' FROM recalls AS r WHERE case_id = %(case)s ORDER BY recalled_at",
    "idempotency_keys": """
        SELECT jsonb_build_object('created_at', created_at) FROM idempotency_keys WHERE case_id = %(case)s
    """,
}
"""The rows of each table about a case, without hashes and sealed content."""

_GET_SEALED_SQL = "SELECT person_id, sealed, record FROM cases WHERE case_id = %s"

_LOCK_SUBJECT_SQL = """
    -- Lock a case while its person is erased.
    SELECT case_id, person_id, announced, erased_at,
        ARRAY(SELECT DISTINCT agency FROM referrals WHERE referrals.case_id = cases.case_id ORDER BY agency) AS agencies
    FROM cases WHERE case_id = %s FOR UPDATE
"""

_DELETE_PERSON_KEY_SQL = "DELETE FROM vault.person_keys WHERE person_id = %s"

_REDUCE_CASE_SQL = """
    -- Leave of a case the codes that counts need, and nothing about the person.
    UPDATE cases SET sealed = '{}', record = NULL, unsaid = NULL, cell = NULL, erased_at = clock_timestamp()
    WHERE case_id = %s
    RETURNING erased_at
"""

_KEEP_CLAIMS_SQL = """
    -- Keep the idempotency key of an erased case for ever, so that a report that is sent again opens no new case. The
    -- fingerprint of the report is deleted.
    UPDATE idempotency_keys SET fingerprint = '', created_at = '9999-01-01Z' WHERE case_id = %s
"""


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The person of a locked case, and the agencies that have or had a referral of it."""

    case_id: UUID
    person_id: UUID
    announced: bool
    erased_at: datetime | None
    agencies: list[str]


@dataclass(frozen=True, slots=True)
class SealedContent:
    """The sealed content of a case: a block for each field group, and the record that was imported with it."""

    person_id: UUID
    groups: Mapping[str, str]
    record: str | None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What an erasure leaves: its time, and the consents that it withdrew, each with its end."""

    erased_at: datetime
    withdrawn: list[tuple[UUID, datetime]]


async def find_case_id(connection: Transaction, case: str) -> UUID | None:
    """Find a case by its id, or by the number that people know it by."""
    row = await (await connection.execute(_FIND_CASE_SQL, {"case": case})).fetchone()
    return row[0] if row else None


async def export_rows(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case by table; of the outbox and of dead letters only what they are."""
    rows = await export_subject(tx, _EXPORT_SQL, case_id)
    outbox, withheld, letters = rows.pop("outbox"), rows.pop("outbox_withheld"), rows.pop("dead_letters")
    del rows["outbox_sequences"]
    return rows | {
        "waiting_to_be_said": [_only(row, type="event_type") for row in outbox],
        "withheld": [_only(row, type="event_type") for row in withheld],
        "dead_letters": [_only(row, topic="topic", partition="partition", position="position") for row in letters],
    }


def _only(row: Mapping[str, Any], **columns: str) -> dict[str, Any]:
    """Return these columns of a row, under these names."""
    return {name: row[column] for name, column in columns.items()}


async def get_sealed(connection: Transaction, case_id: UUID) -> SealedContent:
    """Return the sealed content of a case."""
    row = await (await connection.execute(_GET_SEALED_SQL, (case_id,))).fetchone()
    return SealedContent(*(row or (case_id, {}, None)))


async def lock_subject(tx: Transaction, case_id: UUID) -> DataSubject | None:
    """Lock the person of a case until the transaction ends; None for an unknown case.

    The lock on their consents waits for every release that depends on one of them, and lets no other begin.
    """
    await lock_for_withdrawal(tx, case_id)
    async with tx.cursor(row_factory=class_row(DataSubject)) as cursor:
        await cursor.execute(_LOCK_SUBJECT_SQL, (case_id,))
        return await cursor.fetchone()


async def erase(tx: Transaction, subject: DataSubject) -> Tombstone:
    """Delete a person's key, withdraw their consents, and reduce their case to a tombstone."""
    withdrawn = await consents.withdraw_all(tx, subject.person_id)
    await tx.execute(_DELETE_PERSON_KEY_SQL, (subject.person_id,))
    await tx.execute(_KEEP_CLAIMS_SQL, (subject.case_id,))
    row = await (await tx.execute(_REDUCE_CASE_SQL, (subject.case_id,))).fetchone()
    return Tombstone((row or [None])[0], withdrawn)
