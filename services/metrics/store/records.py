"""Records: the cases whose figures must be made anew, with everything that is known of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.metrics.domain.facts import CaseFact, DeliveryFact, Fact, HoldFact, NeedFact, ReferralFact
from services.metrics.domain.journey import ONCE
from services.metrics.domain.records import CaseRecord, Heard
from services.metrics.store.facts import TABLES
from shared.events.topics import CASES, DELIVERIES, REFERRALS
from shared.kit.database.database import Transaction

F = TypeVar("F", bound=Fact)
NUMBERED = [CASES.topic, REFERRALS.topic, DELIVERIES.topic]
"""The topics whose events of one case are numbered without a gap."""

_ALONE = """
    -- One maker of figures at a time: totals are changed by differences.
    SELECT pg_try_advisory_xact_lock(hashtext('metrics.figures'), 0)
"""

_TAKE = """
    -- Take the oldest marks away; whoever marks a case from now on is seen by the next pass.
    DELETE FROM stale_cases WHERE id IN (SELECT id FROM stale_cases ORDER BY id LIMIT %s)
    RETURNING case_id, heard_at
"""

_SIBLINGS = """
    -- Cases that were made from the same record as one of these.
    SELECT other.case_id FROM case_facts AS one JOIN case_facts AS other USING (service_request_id)
    WHERE one.case_id = ANY(%(ids)s)
    UNION
    SELECT other.case_id FROM case_facts AS one JOIN case_facts AS other USING (origin, external_id)
    WHERE one.case_id = ANY(%(ids)s)
"""

_FACTS = "SELECT {columns} FROM {table} WHERE case_id = ANY(%s) ORDER BY {key}"

_HEARD = """
    -- How completely each case was told: numbers that were passed over, and what was told twice under two ids.
    SELECT case_id, sum(missing)::int, sum(twice)::int FROM (
        SELECT case_id, max(sequence) - count(DISTINCT sequence) AS missing,
            count(*) FILTER (WHERE type = ANY(%(once)s))
                - count(DISTINCT (type, about)) FILTER (WHERE type = ANY(%(once)s)) AS twice
        FROM journey_entries
        WHERE case_id = ANY(%(ids)s) AND topic = ANY(%(topics)s)
        GROUP BY case_id, topic
    ) AS by_topic
    GROUP BY case_id
"""

_COPIES = """
    -- Of the cases that were made from one record, all but the one with the least id.
    SELECT one.case_id FROM case_facts AS one
    WHERE one.case_id = ANY(%(ids)s) AND (
        EXISTS (SELECT FROM case_facts AS other
                WHERE other.service_request_id = one.service_request_id AND other.case_id < one.case_id)
        OR EXISTS (SELECT FROM case_facts AS other
                   WHERE other.origin = one.origin AND other.external_id = one.external_id
                     AND other.case_id < one.case_id))
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Cases to be counted anew; the oldest mark is from `since`."""

    case_ids: Sequence[UUID] = ()
    since: datetime | None = None
    marks: int = 0


async def is_alone(tx: Transaction) -> bool:
    """Tell whether nobody else makes figures; nobody will until this transaction ends."""
    alone = await (await tx.execute(_ALONE)).fetchone()
    return bool(alone and alone[0])


async def take_stale(tx: Transaction, limit: int) -> Taken:
    """Take cases whose figures are stale."""
    marks = await (await tx.execute(_TAKE, (limit,))).fetchall()
    if not marks:
        return Taken()
    ids = {case_id for case_id, _ in marks}
    siblings = await (await tx.execute(_SIBLINGS, {"ids": list(ids)})).fetchall()
    ids.update(case_id for (case_id,) in siblings)
    return Taken(sorted(ids), min(heard_at for _, heard_at in marks), len(marks))


async def load_records(tx: Transaction, ids: Sequence[UUID]) -> list[CaseRecord]:
    """Return what is known of these cases; one of which only an agency has spoken is known by its id alone."""
    heard = await _load_heard(tx, ids)
    cases = {case.case_id: case for case in await _load(tx, CaseFact, ids)}
    needs, referrals = await _by_case(tx, NeedFact, ids), await _by_case(tx, ReferralFact, ids)
    holds, deliveries = await _by_case(tx, HoldFact, ids), await _by_case(tx, DeliveryFact, ids)
    return [
        CaseRecord(
            case=cases.get(case_id) or CaseFact(case_id=case_id),
            needs=needs[case_id],
            referrals=referrals[case_id],
            holds=_by_referral(holds[case_id]),
            deliveries=deliveries[case_id],
            heard=heard.get(case_id, Heard()),
        )
        for case_id in ids
    ]


async def _load(tx: Transaction, kind: type[F], ids: Sequence[UUID]) -> list[F]:
    statement = sql.SQL(_FACTS).format(
        columns=sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(kind)),
        table=sql.Identifier(TABLES[kind.__name__]),
        key=sql.Identifier(kind.KEY),
    )
    async with tx.cursor(binary=True, row_factory=class_row(kind)) as cursor:
        return await (await cursor.execute(statement, (list(ids),))).fetchall()


async def _by_case(tx: Transaction, kind: type[F], ids: Sequence[UUID]) -> dict[UUID, list[F]]:
    found: dict[UUID, list[F]] = defaultdict(list)
    for fact in await _load(tx, kind, ids):
        found[_case_of(fact)].append(fact)
    return found


def _case_of(fact: Any) -> UUID:
    return fact.case_id  # type: ignore[no-any-return]


def _by_referral(holds: Sequence[HoldFact]) -> dict[UUID, list[HoldFact]]:
    found: dict[UUID, list[HoldFact]] = defaultdict(list)
    for hold in holds:
        if hold.referral_id is not None:
            found[hold.referral_id].append(hold)
    return found


async def _load_heard(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Heard]:
    asked = {"ids": list(ids), "once": sorted(ONCE), "topics": NUMBERED}
    copies = {case_id for (case_id,) in await (await tx.execute(_COPIES, asked)).fetchall()}
    told = await (await tx.execute(_HEARD, asked)).fetchall()
    heard = {case_id: Heard(missing or 0, twice or 0, case_id in copies) for case_id, missing, twice in told}
    return {case_id: Heard(copy=True) for case_id in copies} | heard
