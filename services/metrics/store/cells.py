"""Computes stale cells from the clocks, and reads cells and totals."""

from datetime import UTC, date, datetime
from typing import Final

from psycopg import sql

from services.metrics.domain import clocks
from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.tallies import Totals
from services.metrics.store.figures import CASE_CLOCKS, REFERRAL_CLOCKS, ClockTable, group_by
from shared.kit.database.database import Transaction
from shared.kit.database.rows import read_rows

PERCENTILES: Final = [0.5, 0.9, 0.95]

CLOCKS_PER_REFRESH: Final = 20_000
"""About how many clocks one statement reads; a cell that alone has more is computed by itself."""

_REFRESH = """
    -- Compute stale cells again, the longest stale first, up to a bounded number of clocks: a long statement holds back
    -- the vacuum of every table. Each column of clocks is sorted once. A cell that has lost all its clocks (those of a
    -- district that was unknown, say) becomes empty.
    WITH sized AS (
        SELECT key, week, sum(size) OVER (ORDER BY since, key, week) - size AS before
        FROM (
            SELECT stale.key, stale.week, stale.since, coalesce(cell.n + cell.bad + cell.waiting, 0) AS size
            FROM stale_cells AS stale
            LEFT JOIN cells AS cell ON cell.dimension = stale.dimension AND cell.clock = %(measure)s
                AND cell.week = stale.week AND cell.key = stale.key
            WHERE stale.dimension = %(dimension)s AND (stale.week = %(all_time)s) = %(is_all_time)s
        ) AS stale
    ), taken AS (
        DELETE FROM stale_cells USING sized
        WHERE sized.before < %(most)s AND stale_cells.dimension = %(dimension)s
            AND stale_cells.key = sized.key AND stale_cells.week = sized.week
        RETURNING stale_cells.key, stale_cells.week
    ), counted AS (
        SELECT taken.key, taken.week, {counts}
        FROM taken LEFT JOIN {table} AS stored ON {group} = taken.key AND {period}
        GROUP BY taken.key, taken.week
    )
    INSERT INTO cells (dimension, clock, week, key, n, bad, waiting, p50, p90, p95, hold)
    SELECT %(dimension)s, clock.name, counted.week, counted.key,
        clock.n, clock.invalid, clock.open, clock.p[1], clock.p[2], clock.p[3], clock.hold
    FROM counted CROSS JOIN LATERAL (VALUES {clocks}) AS clock (name, n, invalid, open, p, hold)
    ON CONFLICT (dimension, clock, week, key) DO UPDATE SET (n, bad, waiting, p50, p90, p95, hold) = ROW(
        excluded.n, excluded.bad, excluded.waiting, excluded.p50, excluded.p90, excluded.p95, excluded.hold)
"""

_COUNTS = """
    count(*) FILTER (WHERE {seconds} >= 0) AS {n},
    count(*) FILTER (WHERE {seconds} < 0) AS {invalid},
    count(*) FILTER (WHERE {seconds} IS NULL AND stored.is_open) AS {open},
    percentile_cont(%(percentiles)s::float8[]) WITHIN GROUP (ORDER BY {seconds}) FILTER (WHERE {seconds} >= 0) AS {p},
    {hold_sum} AS {hold}
"""

_HOLD_SUM = "coalesce(sum(stored.hold) FILTER (WHERE {seconds} >= 0), 0)"

_LIST_CELLS = """
    -- The cells of one clock that are not empty. Each contains every event that arrived before `as_of`: before the
    -- first change that made the cell stale, and before the oldest event whose case has not been recounted.
    SELECT dimension AS by, key, week, clock, n, bad AS invalid, waiting AS open, p50, p90, p95, hold,
        LEAST(stale_cells.since, (SELECT min(heard_at) FROM stale_cases), now()) AS as_of
    FROM cells LEFT JOIN stale_cells USING (dimension, key, week)
    WHERE dimension = %(by)s AND clock = %(clock)s AND week BETWEEN %(first)s AND %(last)s AND n + bad + waiting > 0
    ORDER BY week, key
"""

_FIRST_OF_LATEST_WEEKS = """
    SELECT min(week) FROM (
        SELECT week FROM cells WHERE dimension = 'city' AND clock = %(clock)s AND week > %(all_time)s
        ORDER BY week DESC LIMIT %(most)s
    ) AS latest
"""

_TOTALS = """
    SELECT coalesce((SELECT jsonb_object_agg(name, n) FROM totals), '{}'),
        LEAST((SELECT min(heard_at) FROM stale_cases), now())
"""


async def refresh_cells(tx: Transaction, dimension: str, *, all_time: bool) -> None:
    """Compute stale cells of one dimension again, those of single weeks or of all time; if many, a part of them."""
    values = {
        "dimension": dimension,
        "all_time": ALL_TIME,
        "is_all_time": all_time,
        "measure": "response",  # every dimension has this clock: it tells how many clocks a cell has
        "most": CLOCKS_PER_REFRESH,
        "percentiles": PERCENTILES,
    }
    await tx.execute(_STATEMENTS[dimension, all_time], values)


async def list_cells(tx: Transaction, by: str, clock: str, first: date = ALL_TIME, last: date = ALL_TIME) -> list[Cell]:
    """Return the cells of one clock of the weeks from `first` to `last`; without them the cells of all time."""
    return await read_rows(tx, Cell, _LIST_CELLS, by=by, clock=clock, first=first, last=last)


async def list_latest_weeks(tx: Transaction, clock: str, most: int) -> list[Cell]:
    """Return the cells of the whole city for the latest `most` weeks in which cases were filed."""
    values = {"clock": clock, "all_time": ALL_TIME, "most": most}
    row = await (await tx.execute(_FIRST_OF_LATEST_WEEKS, values)).fetchone()
    return await list_cells(tx, "city", clock, row[0], date.max) if row and row[0] else []


async def get_totals(tx: Transaction) -> Totals:
    """Return the totals."""
    row = await (await tx.execute(_TOTALS)).fetchone()
    return Totals(*row) if row else Totals({}, datetime.now(UTC))


def _statement(table: ClockTable, column: str | None, *, all_time: bool) -> sql.Composed:
    names = clocks.CASE_CLOCKS if table is CASE_CLOCKS else clocks.REFERRAL_CLOCKS
    return sql.SQL(_REFRESH).format(
        table=sql.Identifier(table.name),
        group=group_by(column, "stored"),
        period=sql.SQL("stored.week IS NOT NULL" if all_time else "stored.week = taken.week"),
        counts=sql.SQL(", ").join(_counts(table, clock) for clock in names),
        clocks=sql.SQL(", ").join(_values(clock) for clock in names),
    )


def _counts(table: ClockTable, clock: str) -> sql.Composed:
    """Return the columns that count one clock."""
    seconds = sql.Identifier("stored", clock)
    without_hold = table is REFERRAL_CLOCKS and clock in clocks.WITHOUT_HOLD
    hold_sum = sql.SQL(_HOLD_SUM).format(seconds=seconds) if without_hold else sql.SQL("0.0")
    columns = {name: sql.Identifier(f"{clock}_{name}") for name in _COUNTED}
    return sql.SQL(_COUNTS).format(seconds=seconds, hold_sum=hold_sum, **columns)


def _values(clock: str) -> sql.Composed:
    """Return the row of VALUES that turns the counted columns of one clock into a row."""
    columns = (sql.Identifier("counted", f"{clock}_{name}") for name in _COUNTED)
    return sql.SQL("({})").format(sql.SQL(", ").join([sql.Literal(clock), *columns]))


_COUNTED = ("n", "invalid", "open", "p", "hold")
_STATEMENTS = {
    (dimension, all_time): _statement(table, column, all_time=all_time)
    for table in (CASE_CLOCKS, REFERRAL_CLOCKS)
    for dimension, column in table.dimensions.items()
    for all_time in (False, True)
}
