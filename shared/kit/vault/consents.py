"""Consents in the vault: intake alone writes them, whoever releases something reads them at that moment.

A release holds a shared lock on the consents of its case until it commits, and a withdrawal an exclusive one: so none
commits after the withdrawal has. The time that counts is the database's.
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
    -- Hold the consents of these cases as they are, in the order of their locks; most cases have none.
    SELECT pg_advisory_xact_lock_shared({CONSENT_LOCK}, lock) FROM (
        SELECT DISTINCT hashtext(case_id::text) AS lock FROM vault.consents
        WHERE case_id = ANY({{}}::text::uuid[]) ORDER BY lock
    ) AS locks
"""  # noqa: S608 - a number of ours
"""Gives a row for each lock; the braces are the place of the cases."""

_LOCK = LOCK_CONSENTS_SQL.format("%s")

_LIST = """
    -- Every consent of these cases, whether it counts or not: that depends on the moment and the recipient.
    SELECT consent_id, case_id, recipients, purpose, groups, granted_at, ends_at, withdrawn_at
    FROM vault.consents WHERE case_id = ANY(%s::text::uuid[]) ORDER BY granted_at, consent_id
"""

_LOCK_FOR_WITHDRAWAL = f"SELECT pg_advisory_xact_lock({CONSENT_LOCK}, hashtext(%s::uuid::text))"

_CASES_OF = "SELECT DISTINCT case_id FROM vault.consents WHERE consent_id = ANY(%s::text::uuid[])"

_STAND = """
    -- Which of these consents count at this moment.
    SELECT consent_id FROM vault.consents
    WHERE consent_id = ANY(%s::text::uuid[]) AND withdrawn_at IS NULL AND clock_timestamp() < ends_at
"""


async def list_consents(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, list[Consent]]:
    """Return the consents of these cases, for somebody who only looks: nothing may be released by them."""
    found: dict[UUID, list[Consent]] = defaultdict(list)
    rows = await tx.execute(_LIST, (array_literal(case_ids),), binary=True)
    for consent_id, case_id, recipients, purpose, groups, *times in await rows.fetchall():
        named = frozenset(FieldGroup(group) for group in groups)
        found[case_id].append(Consent(consent_id, case_id, frozenset(recipients), purpose, named, *times))
    return found


async def lock_for_withdrawal(tx: Transaction, case_id: UUID) -> None:
    """Wait until every release that counts on a consent of this case has ended, and let none begin."""
    await tx.execute(_LOCK_FOR_WITHDRAWAL, (case_id,))


async def lock_valid_consents(tx: Transaction, consent_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these consents count now; those stay as they are until the transaction ends."""
    cases = await (await tx.execute(_CASES_OF, (array_literal(consent_ids),), binary=True)).fetchall()
    await tx.execute(_LOCK, (array_literal(row[0] for row in cases),))
    rows = await tx.execute(_STAND, (array_literal(consent_ids),), binary=True)
    return {row[0] for row in await rows.fetchall()}


_HOLD = f"""
    -- Hold the consents of these cases as they are; then read the keys of these persons, where they still exist, and
    -- the clock: it is read for rows that are joined to the locks, so after those were given.
    WITH locks AS MATERIALIZED ({LOCK_CONSENTS_SQL.format("%(cases)s")}), held AS MATERIALIZED (
        SELECT count(*) AS consents FROM locks
    )
    SELECT consents, clock_timestamp(), person_id, wrapped
    FROM held LEFT JOIN vault.person_keys ON person_id = ANY(%(persons)s::text::uuid[])
"""  # noqa: S608 - our own statement


class LockedConsents(NamedTuple):
    """What stays as it is until the transaction ends, and the database's time once that was certain.

    Persons who were erased are absent. A consent that is held and has not ended by `now` has not ended before.
    """

    persons: dict[UUID, Person]
    consents: dict[UUID, list[Consent]]
    now: datetime


async def lock_consents(
    tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
) -> LockedConsents:
    """Hold the consents of these cases, read the keys of these persons, and tell the time."""
    asked = {"persons": array_literal({*persons}), "cases": array_literal(cases)}
    rows: list[tuple[Any, ...]] = await (await tx.execute(_HOLD, asked, binary=True)).fetchall()
    consents, now = rows[0][:2]
    keys = {person_id: vault.unwrap(person_id, wrapped) for _, _, person_id, wrapped in rows if person_id is not None}
    return LockedConsents(keys, await list_consents(tx, cases) if consents else defaultdict(list), now)
