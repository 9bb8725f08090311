"""Cells: made anew from the clocks where something changed, and read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from psycopg import sql
from psycopg.rows import class_row

from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.clocks import CASE_CLOCKS, REFERRAL_CLOCKS, WITHOUT_HOLD
from services.metrics.store.figures import CASES, REFERRALS, Kept, group_by
from shared.kit.database import Transaction

_REFRESH = """
    -- Make the touched cells anew: percentiles of the clocks that ended in order, the others counted for what they are.
    WITH touched AS (
        DELETE FROM stale_cells WHERE dimension = %(dimension)s AND (week = %(all_time)s) = %(is_all_time)s
        RETURNING key, week
    )
    INSERT INTO cells (dimension, clock, week, key, n, bad, waiting, p50, p90, p95, hold)
    SELECT %(dimension)s, clock.name, touched.week, touched.key,
        count(*) FILTER (WHERE clock.seconds >= 0),
        count(*) FILTER (WHERE clock.seconds < 0),
        count(*) FILTER (WHERE clock.seconds IS NULL AND kept.is_open),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY clock.seconds) FILTER (WHERE clock.seconds >= 0),
        percentile_cont(0.9) WITHIN GROUP (ORDER BY clock.seconds) FILTER (WHERE clock.seconds >= 0),
        percentile_cont(0.95) WITHIN GROUP (ORDER BY clock.seconds) FILTER (WHERE clock.seconds >= 0),
        coalesce(sum(clock.hold) FILTER (WHERE clock.seconds >= 0), 0)
    FROM touched
    JOIN {table} AS kept ON {group} = touched.key AND {period}
    CROSS JOIN LATERAL (VALUES {clocks}) AS clock (name, seconds, hold)
    GROUP BY clock.name, touched.week, touched.key
    ON CONFLICT (dimension, clock, week, key) DO UPDATE SET (n, bad, waiting, p50, p90, p95, hold) = ROW(
        excluded.n, excluded.bad, excluded.waiting, excluded.p50, excluded.p90, excluded.p95, excluded.hold)
"""

_LIST = """
    -- The cells of one clock; each holds everything that was heard before `as_of`.
    SELECT dimension AS by, key, week, clock, n, bad, waiting, p50, p90, p95, hold,
        LEAST(stale_cells.since, (SELECT min(heard_at) FROM stale_cases), now()) AS as_of
    FROM cells LEFT JOIN stale_cells USING (dimension, key, week)
    WHERE dimension = %(by)s AND clock = %(clock)s AND week BETWEEN %(first)s AND %(last)s
    ORDER BY week, key
"""

_LATEST = """
    -- The first of the latest weeks.
    SELECT min(week) FROM (
        SELECT week FROM cells WHERE dimension = 'city' AND clock = %(clock)s AND week > %(all_time)s
        ORDER BY week DESC LIMIT %(most)s
    ) AS latest
"""

_TOTALS = """
    SELECT coalesce((SELECT jsonb_object_agg(name, n) FROM totals), '{}'),
        LEAST((SELECT min(heard_at) FROM stale_cases), now())
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over all cases, by name; they hold everything that was heard before `as_of`."""

    counts: dict[str, int]
    as_of: datetime


async def refresh_cells(tx: Transaction, *, all_time: bool) -> None:
    """Make the cells anew that were touched: those of single weeks, or those of all time."""
    for kept, clocks in ((CASES, CASE_CLOCKS), (REFERRALS, REFERRAL_CLOCKS)):
        for dimension, column in kept.dimensions.items():
            asked = {"dimension": dimension, "all_time": ALL_TIME, "is_all_time": all_time}
            await tx.execute(_statement(kept, column, clocks, all_time), asked)


async def list_cells(tx: Transaction, by: str, clock: str, first: date = ALL_TIME, last: date = ALL_TIME) -> list[Cell]:
    """Return the cells of one clock, of the weeks from `first` to `last`, else of all time."""
    asked = {"by": by, "clock": clock, "first": first, "last": last}
    async with tx.cursor(row_factory=class_row(Cell)) as cursor:
        return await (await cursor.execute(_LIST, asked)).fetchall()


async def list_latest_weeks(tx: Transaction, clock: str, most: int) -> list[Cell]:
    """Return the cells of the whole city for the latest weeks in which anything was filed."""
    row = await (await tx.execute(_LATEST, {"clock": clock, "all_time": ALL_TIME, "most": most})).fetchone()
    return await list_cells(tx, "city", clock, row[0], date.max) if row and row[0] else []


async def get_totals(tx: Transaction) -> Totals:
    """Return the totals."""
    row = await (await tx.execute(_TOTALS)).fetchone()
    return Totals(*row) if row else Totals({}, datetime.now(UTC))


def _statement(kept: Kept, column: str | None, clocks: tuple[str, ...], all_time: bool) -> sql.Composed:  # noqa: FBT001
    return sql.SQL(_REFRESH).format(
        table=sql.Identifier(kept.table),
        group=group_by(column, "kept"),
        period=sql.SQL("kept.week IS NOT NULL" if all_time else "kept.week = touched.week"),
        clocks=sql.SQL(", ").join(_clock(kept, name) for name in clocks),
    )


def _clock(kept: Kept, name: str) -> sql.Composed:
    hold = sql.Identifier("kept", "hold") if kept is REFERRALS and name in WITHOUT_HOLD else sql.SQL("0.0")
    return sql.SQL("({}, {}, {})").format(sql.Literal(name), sql.Identifier("kept", name), hold)
