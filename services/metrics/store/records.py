"""Takes the markers of stale cases, and loads everything that metrics knows of those cases."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.metrics.domain.facts import CaseFact, DeliveryFact, Fact, HoldFact, NeedFact, ReferralFact
from services.metrics.domain.journey import HAPPENS_ONCE
from services.metrics.domain.records import CaseRecord, EventCompleteness, StaleCases
from services.metrics.tables import FACT_TABLES
from shared.events.topics import CASES, DELIVERIES, REFERRALS
from shared.kit.database.database import Transaction

F = TypeVar("F", bound=Fact)
NUMBERED_TOPICS = [CASES.topic, REFERRALS.topic, DELIVERIES.topic]
"""The topics that number the events of one case without gaps."""

_TRY_LOCK_LEADER = """
    -- One process at a time computes figures: it changes totals by differences. The lock ends with the transaction.
    SELECT pg_try_advisory_xact_lock(hashtext('metrics.figures'), 0)
"""

_TAKE_MARKERS = """
    -- Delete the oldest markers before the facts are read: an event that arrives from now on leaves a new marker.
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

_LOAD_FACTS = "SELECT {columns} FROM {table} WHERE case_id = ANY(%s) ORDER BY {key}"

_COMPLETENESS = """
    -- For each case the numbers that its sequences skip, and the events that happened twice, under two ids.
    SELECT case_id, sum(missing)::int, sum(repeated)::int FROM (
        SELECT case_id, max(sequence) - count(DISTINCT sequence) AS missing,
            count(*) FILTER (WHERE type = ANY(%(once)s))
                - count(DISTINCT (type, about)) FILTER (WHERE type = ANY(%(once)s)) AS repeated
        FROM journey_entries
        WHERE case_id = ANY(%(ids)s) AND topic = ANY(%(topics)s)
        GROUP BY case_id, topic
    ) AS by_topic
    GROUP BY case_id
"""

_COPIES = """
    -- Of the cases that were made from one record, all but the one with the smallest id.
    SELECT one.case_id FROM case_facts AS one
    WHERE one.case_id = ANY(%(ids)s) AND (
        EXISTS (SELECT FROM case_facts AS other
                WHERE other.service_request_id = one.service_request_id AND other.case_id < one.case_id)
        OR EXISTS (SELECT FROM case_facts AS other
                   WHERE other.origin = one.origin AND other.external_id = one.external_id
                     AND other.case_id < one.case_id))
"""


async def try_lock_leader(tx: Transaction) -> bool:
    """Try to become the only process that computes figures, until the transaction ends; tell whether that worked."""
    locked = await (await tx.execute(_TRY_LOCK_LEADER)).fetchone()
    return bool(locked and locked[0])


async def take_stale_cases(tx: Transaction, limit: int) -> StaleCases:
    """Take at most `limit` markers; returns their cases, and those made from the same records, whose counts change."""
    markers = await (await tx.execute(_TAKE_MARKERS, (limit,))).fetchall()
    if not markers:
        return StaleCases()
    ids = {case_id for case_id, _ in markers}
    siblings = await (await tx.execute(_SIBLINGS, {"ids": list(ids)})).fetchall()
    ids.update(case_id for (case_id,) in siblings)
    return StaleCases(sorted(ids), min(heard_at for _, heard_at in markers), len(markers))


async def load_records(tx: Transaction, ids: Sequence[UUID]) -> list[CaseRecord]:
    """Return the records of these cases; a case of which only an agency's own updates arrived has its id only."""
    completeness = await _load_completeness(tx, ids)
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
            completeness=completeness.get(case_id, EventCompleteness()),
        )
        for case_id in ids
    ]


async def _load(tx: Transaction, kind: type[F], ids: Sequence[UUID]) -> list[F]:
    statement = sql.SQL(_LOAD_FACTS).format(
        columns=sql.SQL(", ").join(sql.Identifier(field.name) for field in fields(kind)),
        table=sql.Identifier(FACT_TABLES[kind].name),
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


async def _load_completeness(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, EventCompleteness]:
    values = {"ids": list(ids), "once": sorted(HAPPENS_ONCE), "topics": NUMBERED_TOPICS}
    copies = {case_id for (case_id,) in await (await tx.execute(_COPIES, values)).fetchall()}
    rows = await (await tx.execute(_COMPLETENESS, values)).fetchall()
    found = {
        case_id: EventCompleteness(missing or 0, repeated or 0, case_id in copies)
        for case_id, missing, repeated in rows
    }
    return {case_id: EventCompleteness(is_copy=True) for case_id in copies} | found
