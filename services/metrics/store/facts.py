"""Writes what a batch of events adds: facts, journey entries, and markers of the cases whose figures it changes."""

from collections.abc import Iterable
from uuid import UUID

from psycopg import sql

from services.metrics.domain.facts import KEEPS_GREATEST, Fact, merge
from services.metrics.domain.journey import JourneyEntry
from services.metrics.store.copy_stages import ENTRY_STAGE, FACT_STAGES
from services.metrics.tables import FACT_TABLES
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal

_MERGE_FACTS = """
    -- Merge the staged facts into those that are stored. LEAST and GREATEST ignore nulls, so the order of arrival does
    -- not matter. Rows are locked in the order of their keys, so that two writers of the same cases do not deadlock.
    INSERT INTO {table} AS stored ({columns})
    SELECT {columns} FROM {stage} ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {merged}
"""

_INSERT_ENTRIES = """
    -- Insert the events that are not in a journey yet, in one order everywhere, against deadlocks.
    INSERT INTO journey_entries ({columns})
    SELECT {columns} FROM {stage} ORDER BY source, event_id
    ON CONFLICT DO NOTHING
"""

_MARK_CASES = """
    -- Mark these cases for recounting. A marker is a new row, never an update: a consumer does not wait for the worker
    -- that takes the markers.
    INSERT INTO stale_cases (case_id) SELECT unnest(%s::text::uuid[])
"""


async def save_facts(tx: Transaction, facts: Iterable[Fact]) -> None:
    """Merge these facts into those that are stored."""
    for kind, merged in merge(facts).items():
        if merged:
            await FACT_STAGES[kind].fill(tx, merged)
            await tx.execute(_STATEMENTS[kind])


async def insert_entries(tx: Transaction, entries: Iterable[JourneyEntry]) -> None:
    """Add these events to the journeys of their cases; an event that is there already stays as it is."""
    await ENTRY_STAGE.fill(tx, entries)
    await tx.execute(sql.SQL(_INSERT_ENTRIES).format(columns=ENTRY_STAGE.names, stage=ENTRY_STAGE.table))


async def mark_cases(tx: Transaction, case_ids: Iterable[UUID]) -> None:
    """Mark these cases as stale: their figures do not contain all events."""
    await tx.execute(_MARK_CASES, (array_literal(case_ids),))


def _statement(kind: type[Fact]) -> sql.Composed:
    table, stage = FACT_TABLES[kind], FACT_STAGES[kind]
    merged = [
        _merged(name, greatest=greatest, is_text=table.columns[name].type.python_type is str)
        for name, greatest in KEEPS_GREATEST[kind].items()
    ]
    return sql.SQL(_MERGE_FACTS).format(
        table=sql.Identifier(table.name),
        columns=stage.names,
        stage=stage.table,
        key=sql.Identifier(kind.KEY),
        merged=sql.SQL(", ").join(merged),
    )


def _merged(name: str, *, greatest: bool, is_text: bool) -> sql.Composed:
    """Return the assignment that merges one column."""
    rule = "{0} = GREATEST(stored.{0}, excluded.{0})" if greatest else "{0} = LEAST(stored.{0}, excluded.{0})"
    if is_text:
        # Compare by code point, as Python does: a locale's order would give another result than the domain's merge.
        rule = rule.replace("excluded.{0}", 'excluded.{0} COLLATE "C"')
    return sql.SQL(rule).format(sql.Identifier(name))


_STATEMENTS = {kind: _statement(kind) for kind in FACT_STAGES}
