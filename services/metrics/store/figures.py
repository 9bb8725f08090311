"""Saves the clocks and tallies of recounted cases, changes the totals, and marks the cells that change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from services.metrics.domain.cells import ALL_TIME
from services.metrics.domain.clocks import CaseClocks, ReferralClocks
from services.metrics.domain.tallies import Tally, diff_tallies
from services.metrics.store.copy_stages import CASE_CLOCK_STAGE, REFERRAL_CLOCK_STAGE, Stage
from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class ClockTable:
    """A table of clocks."""

    name: str
    key: str
    stage: Stage

    dimensions: Mapping[str, str | None]
    """The dimensions of its cells, each with the column that it groups by; None is one group of all."""


CASE_CLOCKS: Final = ClockTable("case_clocks", "case_id", CASE_CLOCK_STAGE, {"city": None, "district": "district"})
REFERRAL_CLOCKS: Final = ClockTable(
    "referral_clocks",
    "referral_id",
    REFERRAL_CLOCK_STAGE,
    {"agency": "agency", "program": "program", "need": "need", "pairing": "pairing"},
)

_DROP_UNCHANGED = """
    -- Most clocks of recounted cases are the same as before: without them fewer rows are written and cells marked.
    DELETE FROM {stage} AS staged USING {table} AS stored
    WHERE stored.{key} = staged.{key} AND ({stored}) IS NOT DISTINCT FROM ({staged})
"""

_MARK_CELLS = """
    -- Mark the cells that contain these clocks now, and those that contained them before, by week and for all time. A
    -- cell that is marked already keeps the time of its first change.
    INSERT INTO stale_cells (dimension, key, week, since)
    SELECT DISTINCT %(dimension)s, cell.key, period.week, %(since)s::timestamptz
    FROM (
        SELECT {now} AS key, staged.week FROM {stage} AS staged
        UNION
        SELECT {before}, stored.week FROM {table} AS stored JOIN {stage} AS staged USING ({key})
    ) AS cell
    CROSS JOIN LATERAL (VALUES (cell.week), (%(all_time)s::date)) AS period (week)
    WHERE cell.week IS NOT NULL
    ON CONFLICT (dimension, key, week) DO NOTHING
"""

_UPSERT_CLOCKS = """
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {stage}
    ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({excluded})
"""

_PREVIOUS_TALLIES = "SELECT counts FROM case_tallies WHERE case_id = ANY(%s)"

_UPSERT_TALLIES = """
    INSERT INTO case_tallies (case_id, counts)
    SELECT * FROM jsonb_to_recordset(%s) AS tally (case_id uuid, counts jsonb)
    ON CONFLICT (case_id) DO UPDATE SET counts = excluded.counts
"""

_ADD_TO_TOTALS = """
    -- Change each total by a difference, in one order everywhere, against deadlocks.
    INSERT INTO totals AS total (name, n) SELECT key, value::bigint FROM jsonb_each_text(%s) ORDER BY key
    ON CONFLICT (name) DO UPDATE SET n = total.n + excluded.n
"""


async def save_clocks(
    tx: Transaction, table: ClockTable, clocks: Sequence[CaseClocks] | Sequence[ReferralClocks], since: datetime
) -> None:
    """Save these clocks, and mark the cells that they change as stale since `since`."""
    await table.stage.fill(tx, clocks)
    names = _names(table)
    await tx.execute(sql.SQL(_DROP_UNCHANGED).format(**names))
    for dimension, column in table.dimensions.items():
        groups = {"now": group_by(column, "staged"), "before": group_by(column, "stored")}
        values = {"dimension": dimension, "since": since, "all_time": ALL_TIME}
        await tx.execute(sql.SQL(_MARK_CELLS).format(**names, **groups), values)
    await tx.execute(sql.SQL(_UPSERT_CLOCKS).format(**names))


async def save_tallies(tx: Transaction, tallies: Mapping[UUID, Tally]) -> None:
    """Save what these cases add to the totals, and change the totals by the difference to what they added before."""
    before = [counts for (counts,) in await (await tx.execute(_PREVIOUS_TALLIES, (list(tallies),))).fetchall()]
    rows = [{"case_id": str(case_id), "counts": dict(counts)} for case_id, counts in tallies.items()]
    await tx.execute(_UPSERT_TALLIES, (Jsonb(rows),))
    await tx.execute(_ADD_TO_TOTALS, (Jsonb(diff_tallies(before, tallies.values())),))


def group_by(column: str | None, table: str) -> sql.Composable:
    """Return the expression that a dimension groups by: a column, or a constant for one group of all."""
    return sql.Literal("") if column is None else sql.Identifier(table, column)


def _names(table: ClockTable) -> dict[str, sql.Composable]:
    def columns(prefix: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(prefix, name) for name in table.stage.columns)

    return {
        "table": sql.Identifier(table.name),
        "key": sql.Identifier(table.key),
        "stage": table.stage.table,
        "columns": table.stage.names,
        "stored": columns("stored"),
        "staged": columns("staged"),
        "excluded": columns("excluded"),
    }
