"""Consents in the vault: intake writes them, and a service that releases data reads them at that moment.

A release holds a shared lock on the consents of its case until it commits, a withdrawal an exclusive one: no release
under a consent commits after its withdrawal has. The time that counts is the database's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal
from shared.kit.vault.vault import Person, Vault
from shared.policy.consent import Consent

CONSENT_LOCK: Final = 0x48434F4E
"""The first key of the advisory locks; the second is the hash of the case."""

LOCK_CONSENTS_SQL: Final = f"""
    -- Lock the consents of those of these cases that have some (few do), in the order of the locks, so that two
    -- transactions cannot block each other.
    SELECT pg_advisory_xact_lock_shared({CONSENT_LOCK}, lock) FROM (
        SELECT DISTINCT hashtext(case_id::text) AS lock FROM vault.consents
        WHERE case_id = ANY({{}}::text::uuid[]) ORDER BY lock
    ) AS locks
"""  # noqa: S608 - no value is in it
"""Returns a row for each lock; put the parameter for the cases in place of the braces."""

_LOCK_SQL: Final = LOCK_CONSENTS_SQL.format("%s")

_LIST_SQL: Final = """
    -- Every consent of these cases, valid or not: that depends on the moment and the recipient.
    SELECT consent_id, case_id, recipients, purpose, groups, granted_at, ends_at, withdrawn_at
    FROM vault.consents WHERE case_id = ANY(%s::text::uuid[]) ORDER BY granted_at, consent_id
"""

_LOCK_FOR_WITHDRAWAL_SQL: Final = f"SELECT pg_advisory_xact_lock({CONSENT_LOCK}, hashtext(%s::uuid::text))"

_LIST_CASES_SQL: Final = "SELECT DISTINCT case_id FROM vault.consents WHERE consent_id = ANY(%s::text::uuid[])"

_LIST_VALID_SQL: Final = """
    -- Which of these consents are valid at this moment. clock_timestamp(), because now() is the time at which the
    -- transaction began, and this one may have waited for a lock since.
    SELECT consent_id FROM vault.consents
    WHERE consent_id = ANY(%s::text::uuid[]) AND withdrawn_at IS NULL AND clock_timestamp() < ends_at
"""

_LOCK_AND_READ_SQL: Final = f"""
    -- Lock the consents of these cases. Then read the keys of these persons, but for those that were erased, and the
    -- clock: it is read for rows that depend on the locks, so after these were granted.
    WITH locks AS MATERIALIZED ({LOCK_CONSENTS_SQL.format("%(cases)s")}), locked AS MATERIALIZED (
        SELECT count(*) AS consents FROM locks
    )
    SELECT consents, clock_timestamp(), person_id, wrapped
    FROM locked LEFT JOIN vault.person_keys ON person_id = ANY(%(persons)s::text::uuid[])
"""  # noqa: S608 - no value is in it


class LockedConsents(NamedTuple):
    """Consents that stay as they are until the transaction ends, the persons' keys, and the database's time since then.

    Erased persons are missing. A locked consent that has not ended by `now` was valid at every moment before.
    """

    persons: dict[UUID, Person]
    consents: dict[UUID, list[Consent]]
    now: datetime


async def lock_consents(
    tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
) -> LockedConsents:
    """Lock and return the consents of these cases, with the keys of these persons and the time."""
    parameters = {"persons": array_literal({*persons}), "cases": array_literal(cases)}
    rows: list[tuple[Any, ...]] = await (await tx.execute(_LOCK_AND_READ_SQL, parameters, binary=True)).fetchall()
    consents, now = rows[0][:2]
    keys = {person_id: vault.unwrap(person_id, wrapped) for _, _, person_id, wrapped in rows if person_id is not None}
    # Read by a second statement: the snapshot of the first was taken before the locks were granted.
    return LockedConsents(keys, await list_consents(tx, cases) if consents else defaultdict(list), now)


async def lock_valid_consents(tx: Transaction, consent_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these consents are valid now, and lock them as they are until the transaction ends."""
    cases = await (await tx.execute(_LIST_CASES_SQL, (array_literal(consent_ids),), binary=True)).fetchall()
    await tx.execute(_LOCK_SQL, (array_literal(row[0] for row in cases),))
    rows = await tx.execute(_LIST_VALID_SQL, (array_literal(consent_ids),), binary=True)
    return {row[0] for row in await rows.fetchall()}


async def lock_for_withdrawal(tx: Transaction, case_id: UUID) -> None:
    """Wait for the end of each release that relies on a consent of this case, and let none begin until the commit."""
    await tx.execute(_LOCK_FOR_WITHDRAWAL_SQL, (case_id,))


async def list_consents(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, list[Consent]]:
    """Return the consents of these cases without a lock: to show them, not to release anything."""
    found: dict[UUID, list[Consent]] = defaultdict(list)
    rows = await tx.execute(_LIST_SQL, (array_literal(case_ids),), binary=True)
    for consent_id, case_id, recipients, purpose, groups, *times in await rows.fetchall():
        named = frozenset(FieldGroup(group) for group in groups)
        found[case_id].append(Consent(consent_id, case_id, frozenset(recipients), purpose, named, *times))
    return found
