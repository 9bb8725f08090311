"""What a release stands on, by one statement: the keys of persons, the consents of cases held as they are, the time."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.kit.consents import LOCK_THOSE_WITH_SOME, list_consents
from shared.kit.database import Transaction
from shared.kit.vault import Person, Vault
from shared.policy.consent import Consent

_HOLD = f"""
    -- Hold the consents of these cases as they are; then read the keys of these persons, where they still exist, and
    -- the clock: it is read for rows that are joined to the locks, so after those were given.
    WITH locks AS MATERIALIZED ({LOCK_THOSE_WITH_SOME.format("%(cases)s")}), held AS MATERIALIZED (
        SELECT count(*) AS consents FROM locks
    )
    SELECT consents, clock_timestamp(), person_id, wrapped
    FROM held LEFT JOIN vault.person_keys ON person_id = ANY(%(persons)s::text::uuid[])
"""  # noqa: S608 - our own statement


class Held(NamedTuple):
    """What stays as it is until the transaction ends, and the database's time once that was certain.

    Persons who were erased are absent. A consent that is held and has not ended by `now` has not ended before.
    """

    persons: dict[UUID, Person]
    consents: dict[UUID, list[Consent]]
    now: datetime


async def hold(tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()) -> Held:
    """Hold the consents of these cases, read the keys of these persons, and tell the time."""
    asked = {"persons": _array({*persons}), "cases": _array(cases)}
    rows: list[tuple[Any, ...]] = await (await tx.execute(_HOLD, asked, binary=True)).fetchall()
    consents, now = rows[0][:2]
    keys = {person_id: vault.unwrap(person_id, wrapped) for _, _, person_id, wrapped in rows if person_id is not None}
    return Held(keys, await list_consents(tx, cases) if consents else defaultdict(list), now)


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
