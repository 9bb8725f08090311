"""Cells: made anew from the clocks where something changed, and read."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from psycopg import sql
from psycopg.rows import class_row

from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.clocks import CASE_CLOCKS, REFERRAL_CLOCKS, WITHOUT_HOLD
from services.metrics.store.figures import CASES, REFERRALS, Kept, group_by
from shared.kit.database.database import Transaction

SHARES = [0.5, 0.9, 0.95]
PART = 20_000
"""About so many clocks are read for one refresh; a cell that alone has more is made by itself."""

_REFRESH = """
    -- Make touched cells anew, the longest stale first, up to a bounded number of clocks: a long statement would keep
    -- everybody's dead rows alive. Each column of clocks is sorted once; what ended out of order is counted as bad; a
    -- cell that everything has left (a district that became known, say) is made empty.
    WITH waiting AS (
        SELECT key, week, sum(size) OVER (ORDER BY since, key, week) - size AS before
        FROM (
            SELECT stale.key, stale.week, stale.since, coalesce(cell.n + cell.bad + cell.waiting, 0) AS size
            FROM stale_cells AS stale
            LEFT JOIN cells AS cell ON cell.dimension = stale.dimension AND cell.clock = %(measure)s
                AND cell.week = stale.week AND cell.key = stale.key
            WHERE stale.dimension = %(dimension)s AND (stale.week = %(all_time)s) = %(is_all_time)s
        ) AS sized
    ), touched AS (
        DELETE FROM stale_cells USING waiting
        WHERE waiting.before < %(part)s AND stale_cells.dimension = %(dimension)s
            AND stale_cells.key = waiting.key AND stale_cells.week = waiting.week
        RETURNING stale_cells.key, stale_cells.week
    ), counted AS (
        SELECT touched.key, touched.week, {counts}
        FROM touched LEFT JOIN {table} AS kept ON {group} = touched.key AND {period}
        GROUP BY touched.key, touched.week
    )
    INSERT INTO cells (dimension, clock, week, key, n, bad, waiting, p50, p90, p95, hold)
    SELECT %(dimension)s, clock.name, counted.week, counted.key,
        clock.n, clock.bad, clock.waiting, clock.p[1], clock.p[2], clock.p[3], clock.hold
    FROM counted CROSS JOIN LATERAL (VALUES {clocks}) AS clock (name, n, bad, waiting, p, hold)
    ON CONFLICT (dimension, clock, week, key) DO UPDATE SET (n, bad, waiting, p50, p90, p95, hold) = ROW(
        excluded.n, excluded.bad, excluded.waiting, excluded.p50, excluded.p90, excluded.p95, excluded.hold)
"""

_COUNTS = """
    count(*) FILTER (WHERE {seconds} >= 0) AS {n},
    count(*) FILTER (WHERE {seconds} < 0) AS {bad},
    count(*) FILTER (WHERE {seconds} IS NULL AND kept.is_open) AS {waiting},
    percentile_cont(%(shares)s::float8[]) WITHIN GROUP (ORDER BY {seconds}) FILTER (WHERE {seconds} >= 0) AS {p},
    {hold} AS {held}
"""

_HOLD = "coalesce(sum(kept.hold) FILTER (WHERE {seconds} >= 0), 0)"

_LIST = """
    -- The cells of one clock that hold anything; each holds everything that was heard before `as_of`.
    SELECT dimension AS by, key, week, clock, n, bad, waiting, p50, p90, p95, hold,
        LEAST(stale_cells.since, (SELECT min(heard_at) FROM stale_cases), now()) AS as_of
    FROM cells LEFT JOIN stale_cells USING (dimension, key, week)
    WHERE dimension = %(by)s AND clock = %(clock)s AND week BETWEEN %(first)s AND %(last)s AND n + bad + waiting > 0
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


async def refresh_cells(tx: Transaction, dimension: str, *, all_time: bool) -> None:
    """Make touched cells of one dimension anew, of single weeks or of all time; not all of them if they are many."""
    asked = {
        "dimension": dimension,
        "all_time": ALL_TIME,
        "is_all_time": all_time,
        "measure": "response",
        "part": PART,
        "shares": SHARES,
    }
    await tx.execute(_STATEMENTS[dimension, all_time], asked)


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


def _statement(kept: Kept, column: str | None, *, all_time: bool) -> sql.Composed:
    clocks = CASE_CLOCKS if kept is CASES else REFERRAL_CLOCKS
    return sql.SQL(_REFRESH).format(
        table=sql.Identifier(kept.table),
        group=group_by(column, "kept"),
        period=sql.SQL("kept.week IS NOT NULL" if all_time else "kept.week = touched.week"),
        counts=sql.SQL(", ").join(_counts(kept, clock) for clock in clocks),
        clocks=sql.SQL(", ").join(_row(clock) for clock in clocks),
    )


def _counts(kept: Kept, clock: str) -> sql.Composed:
    seconds = sql.Identifier("kept", clock)
    without_hold = kept is REFERRALS and clock in WITHOUT_HOLD
    hold = sql.SQL(_HOLD).format(seconds=seconds) if without_hold else sql.SQL("0.0")
    columns = {name: sql.Identifier(f"{clock}_{name}") for name in _COLUMNS}
    return sql.SQL(_COUNTS).format(seconds=seconds, hold=hold, **columns)


def _row(clock: str) -> sql.Composed:
    columns = (sql.Identifier("counted", f"{clock}_{name}") for name in _COLUMNS)
    return sql.SQL("({})").format(sql.SQL(", ").join([sql.Literal(clock), *columns]))


_COLUMNS = ("n", "bad", "waiting", "p", "held")
_STATEMENTS = {
    (dimension, all_time): _statement(kept, column, all_time=all_time)
    for kept in (CASES, REFERRALS)
    for dimension, column in kept.dimensions.items()
    for all_time in (False, True)
}
