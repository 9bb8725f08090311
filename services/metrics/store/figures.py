"""Figures: clocks, tallies and totals of the cases that were counted anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from services.metrics.domain.cells import ALL_TIME
from services.metrics.domain.clocks import CaseClocks, ReferralClocks
from services.metrics.domain.tallies import Tally, change
from services.metrics.store.copy_stages import CASE_CLOCKS, REFERRAL_CLOCKS, Stage
from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the clocks of one kind are kept, and by what their cells group them."""

    table: str
    key: str
    stage: Stage
    dimensions: Mapping[str, str | None]


CASES = Kept("case_clocks", "case_id", CASE_CLOCKS, {"city": None, "district": "district"})
REFERRALS = Kept(
    "referral_clocks",
    "referral_id",
    REFERRAL_CLOCKS,
    {"agency": "agency", "program": "program", "need": "need", "pairing": "pairing"},
)

_DROP_UNCHANGED = """
    -- Most of what is counted anew comes out the same: it touches nothing.
    DELETE FROM {stage} AS staged USING {table} AS kept
    WHERE kept.{key} = staged.{key} AND ({kept}) IS NOT DISTINCT FROM ({staged})
"""

_TOUCH = """
    -- The cells that these clocks are in now, and those that they were in before, by week and for all time.
    INSERT INTO stale_cells (dimension, key, week, since)
    SELECT DISTINCT %(dimension)s, cell.key, period.week, %(since)s::timestamptz
    FROM (
        SELECT {now} AS key, staged.week FROM {stage} AS staged
        UNION
        SELECT {before}, kept.week FROM {table} AS kept JOIN {stage} AS staged USING ({key})
    ) AS cell
    CROSS JOIN LATERAL (VALUES (cell.week), (%(all_time)s::date)) AS period (week)
    WHERE cell.week IS NOT NULL
    ON CONFLICT (dimension, key, week) DO NOTHING
"""

_REPLACE = """
    -- Put the new clocks in the place of the old ones.
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {stage}
    ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW({excluded})
"""

_OLD_TALLIES = "SELECT counts FROM case_tallies WHERE case_id = ANY(%s)"

_SAVE_TALLIES = """
    INSERT INTO case_tallies (case_id, counts)
    SELECT * FROM jsonb_to_recordset(%s) AS tally (case_id uuid, counts jsonb)
    ON CONFLICT (case_id) DO UPDATE SET counts = excluded.counts
"""

_ADD_TO_TOTALS = """
    INSERT INTO totals AS total (name, n) SELECT key, value::bigint FROM jsonb_each_text(%s) ORDER BY key
    ON CONFLICT (name) DO UPDATE SET n = total.n + excluded.n
"""


async def save_clocks(
    tx: Transaction, kept: Kept, clocks: Sequence[CaseClocks] | Sequence[ReferralClocks], since: datetime
) -> None:
    """Keep these clocks, and note which cells they touch."""
    await kept.stage.fill(tx, clocks)
    names = _names(kept)
    await tx.execute(sql.SQL(_DROP_UNCHANGED).format(**names))
    for dimension, column in kept.dimensions.items():
        groups = {"now": group_by(column, "staged"), "before": group_by(column, "kept")}
        asked = {"dimension": dimension, "since": since, "all_time": ALL_TIME}
        await tx.execute(sql.SQL(_TOUCH).format(**names, **groups), asked)
    await tx.execute(sql.SQL(_REPLACE).format(**names))


async def save_tallies(tx: Transaction, tallies: Mapping[UUID, Tally]) -> None:
    """Keep what these cases add to the totals, and change the totals by the difference."""
    before = [counts for (counts,) in await (await tx.execute(_OLD_TALLIES, (list(tallies),))).fetchall()]
    rows = [{"case_id": str(case_id), "counts": dict(counts)} for case_id, counts in tallies.items()]
    await tx.execute(_SAVE_TALLIES, (Jsonb(rows),))
    await tx.execute(_ADD_TO_TOTALS, (Jsonb(change(before, tallies.values())),))


def group_by(column: str | None, table: str) -> sql.Composable:
    """Return what a dimension groups by; the city is one group."""
    return sql.Literal("") if column is None else sql.Identifier(table, column)


def _names(kept: Kept) -> dict[str, sql.Composable]:
    def columns(prefix: str) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(prefix, name) for name in kept.stage.columns)

    return {
        "table": sql.Identifier(kept.table),
        "key": sql.Identifier(kept.key),
        "stage": kept.stage.table,
        "columns": kept.stage.names,
        "kept": columns("kept"),
        "staged": columns("staged"),
        "excluded": columns("excluded"),
    }
