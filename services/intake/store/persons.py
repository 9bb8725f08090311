"""Everything that is kept about the person of one case, and how it is reduced to what must stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.intake.store import consents
from shared.kit.database.database import Transaction
from shared.kit.vault.consents import lock_for_withdrawal

_FIND = "SELECT case_id FROM cases WHERE case_id::text = %(case)s OR service_request_id = %(case)s"

_HELD: Mapping[str, str] = {
    "case": "SELECT to_jsonb(c) - '{token_hash,sealed,record,unsaid}'::text[] FROM cases AS c WHERE case_id = %s",
    "history": "SELECT to_jsonb(n) - 'case_id' FROM notes AS n WHERE case_id = %s ORDER BY happened_at, sequence",
    "referrals": "SELECT to_jsonb(r) - 'case_id' FROM referrals AS r WHERE case_id = %s ORDER BY referral_id",
    "consents": "SELECT to_jsonb(c) - 'case_id' FROM vault.consents AS c WHERE case_id = %s ORDER BY granted_at",
    "disclosures": "SELECT to_jsonb(d) - 'case_id' FROM disclosures AS d WHERE case_id = %s ORDER BY given_at",
    "recalls": "SELECT to_jsonb(r) - 'case_id' FROM recalls AS r WHERE case_id = %s ORDER BY recalled_at",
    "idempotency_keys": "SELECT jsonb_build_object('created_at', created_at) FROM idempotency_keys WHERE case_id = %s",
    "waiting_to_be_said": "SELECT jsonb_build_object('type', event_type) FROM outbox WHERE case_id = %s ORDER BY id",
    "withheld": "SELECT jsonb_build_object('type', event_type) FROM outbox_withheld WHERE case_id = %s",
    "dead_letters": """
        SELECT jsonb_build_object('topic', topic, 'partition', partition, 'position', position) FROM dead_letters
        WHERE position(convert_to(%s::uuid::text, 'UTF8') IN raw) > 0 ORDER BY topic, partition, position
    """,
}
"""What each table has about a case; what is sealed is opened by whoever asks."""

_SEALED = "SELECT person_id, sealed, record FROM cases WHERE case_id = %s"

_LOCK = """
    -- Hold a case while its person is erased.
    SELECT case_id, person_id, announced, erased_at,
        ARRAY(SELECT DISTINCT agency FROM referrals WHERE referrals.case_id = cases.case_id ORDER BY agency) AS agencies
    FROM cases WHERE case_id = %s FOR UPDATE
"""

_FORGET_KEY = "DELETE FROM vault.person_keys WHERE person_id = %s"

_REDUCE = """
    -- Keep of a case what counts and codes need, and nothing that tells of the person.
    UPDATE cases SET sealed = '{}', record = NULL, unsaid = NULL, cell = NULL, erased_at = clock_timestamp()
    WHERE case_id = %s
    RETURNING erased_at
"""

_KEEP_CLAIMS = """
    -- A caller's key of an erased case is never forgotten, so that sending the report again opens nothing. What was
    -- sent under it is.
    UPDATE idempotency_keys SET fingerprint = '', created_at = '9999-01-01Z' WHERE case_id = %s
"""


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The person of a case who is to be erased, or was, and the agencies that had a part in it."""

    case_id: UUID
    person_id: UUID
    announced: bool
    erased_at: datetime | None
    agencies: list[str]


@dataclass(frozen=True, slots=True)
class SealedContent:
    """What is sealed of a case."""

    person_id: UUID
    groups: Mapping[str, str]
    record: str | None


@dataclass(frozen=True, slots=True)
class Erased:
    """A person is erased: when, and which consents ended with it."""

    erased_at: datetime
    withdrawn: list[tuple[UUID, datetime]]


async def find_case_id(connection: Transaction, case: str) -> UUID | None:
    """Find a case by its id, or by the number that people know it by."""
    row = await (await connection.execute(_FIND, {"case": case})).fetchone()
    return row[0] if row else None


async def list_held(connection: Transaction, case_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """List what each table has about a case."""
    held = {}
    for name, query in _HELD.items():
        rows = await connection.execute(query.encode(), (case_id,))
        held[name] = [row[0] async for row in rows]
    return held


async def get_sealed(connection: Transaction, case_id: UUID) -> SealedContent:
    """Return what is sealed of a case that is there."""
    row = await (await connection.execute(_SEALED, (case_id,))).fetchone()
    return SealedContent(*(row or (case_id, {}, None)))


async def lock_subject(tx: Transaction, case_id: UUID) -> DataSubject | None:
    """Return the person of a case; nothing is released of them until the transaction ends."""
    await lock_for_withdrawal(tx, case_id)
    async with tx.cursor(row_factory=class_row(DataSubject)) as cursor:
        await cursor.execute(_LOCK, (case_id,))
        return await cursor.fetchone()


async def erase(tx: Transaction, subject: DataSubject) -> Erased:
    """Destroy a person's key, end their consents, and reduce what is kept to a tombstone."""
    withdrawn = await consents.withdraw_all(tx, subject.person_id)
    await tx.execute(_FORGET_KEY, (subject.person_id,))
    await tx.execute(_KEEP_CLAIMS, (subject.case_id,))
    row = await (await tx.execute(_REDUCE, (subject.case_id,))).fetchone()
    return Erased((row or [None])[0], withdrawn)
