"""Facts and journeys: what a batch of events adds to what is known."""

from collections.abc import Iterable
from uuid import UUID

from psycopg import sql

from services.metrics.domain.facts import KEPT, Fact, gather
from services.metrics.domain.journey import JourneyEntry
from services.metrics.store.copy_stages import ENTRIES, FACT_STAGES
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal

TABLES = {
    "CaseFact": "case_facts",
    "NeedFact": "need_facts",
    "ReferralFact": "referral_facts",
    "HoldFact": "hold_facts",
    "DeliveryFact": "delivery_facts",
}

_JOIN = """
    -- Join what was heard with what is known. LEAST and GREATEST pass over nulls, so any order gives the same; rows are
    -- locked in the order of their keys, so that two writers of the same cases cannot lock each other up.
    INSERT INTO {table} AS known ({columns})
    SELECT {columns} FROM {stage} ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {merged}
"""

_KEEP_ENTRIES = """
    -- Keep the events that are not in a journey yet.
    INSERT INTO journey_entries ({columns})
    SELECT {columns} FROM {stage} ORDER BY source, event_id
    ON CONFLICT DO NOTHING
"""

_MARK_STALE = """
    -- The figures of these cases must be made anew. Rows are only added: nobody waits for whoever makes figures.
    INSERT INTO stale_cases (case_id) SELECT unnest(%s::text::uuid[])
"""


async def save_facts(tx: Transaction, facts: Iterable[Fact]) -> None:
    """Join these facts with those that are known."""
    for kind, found in gather(facts).items():
        if found:
            await FACT_STAGES[kind].fill(tx, found)
            await tx.execute(_STATEMENTS[kind])


async def keep_entries(tx: Transaction, entries: Iterable[JourneyEntry]) -> None:
    """Add these events to the journeys of their cases."""
    await ENTRIES.fill(tx, entries)
    await tx.execute(sql.SQL(_KEEP_ENTRIES).format(columns=ENTRIES.names, stage=ENTRIES.table))


async def mark_stale(tx: Transaction, case_ids: Iterable[UUID]) -> None:
    """Note that something was heard of these cases."""
    await tx.execute(_MARK_STALE, (array_literal(case_ids),))


def _statement(kind: type[Fact]) -> sql.Composed:
    stage = FACT_STAGES[kind]
    merged = [_merged(name, stage.columns[name], greatest) for name, greatest in KEPT[kind].items()]
    return sql.SQL(_JOIN).format(
        table=sql.Identifier(TABLES[kind.__name__]),
        columns=stage.names,
        stage=stage.table,
        key=sql.Identifier(kind.KEY),
        merged=sql.SQL(", ").join(merged),
    )


def _merged(name: str, kind: str, greatest: bool) -> sql.Composed:  # noqa: FBT001 - one of the two laws
    """Words are compared by code point, as the domain compares them."""
    law = "{0} = GREATEST(known.{0}, excluded.{0})" if greatest else "{0} = LEAST(known.{0}, excluded.{0})"
    law = law.replace("excluded.{0}", 'excluded.{0} COLLATE "C"') if kind == "text" else law
    return sql.SQL(law).format(sql.Identifier(name))


_STATEMENTS = {kind: _statement(kind) for kind in FACT_STAGES}
