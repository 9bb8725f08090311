"""Cells: one clock of one group of cases or referrals, as it is published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

ALL_TIME = date.min
"""The week of a cell that counts every week."""

DIMENSIONS = ("city", "district", "agency", "program", "need")
"""What cells group by: the first two group cases, the others referrals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One clock of one group.

    `n` clocks have ended in order, `bad` out of order, `waiting` not yet. Percentiles are in seconds, interpolated
    linearly (PostgreSQL's percentile_cont); `hold` is what was subtracted, in seconds, all together.
    """

    by: str
    key: str
    week: date
    clock: str
    n: int
    bad: int
    waiting: int
    p50: float | None
    p90: float | None
    p95: float | None
    hold: float
    as_of: datetime
    veiled: bool = False


def veil(cells: Sequence[Cell], minimum: int) -> list[Cell]:
    """Hide the cells that are small enough to pick a person out of, and so many more that none can be worked out.

    The cells are those of one clock, and together they make up a total that is known.
    A single hidden cell is the total less the others: so the smallest of the others is hidden, too. Percentiles of
    fewer than `minimum` times are left out where the cell itself is large enough to be shown.
    """
    filled = sorted((place for place, cell in enumerate(cells) if _size(cell)), key=lambda place: _size(cells[place]))
    hidden: list[int] = []
    for place in filled:
        if _size(cells[place]) < minimum or (hidden and sum(_size(cells[other]) for other in hidden) < minimum):
            hidden.append(place)
    return [_veiled(cell) if place in hidden else _blurred(cell, minimum) for place, cell in enumerate(cells)]


def _size(cell: Cell) -> int:
    return cell.n + cell.bad + cell.waiting


def _veiled(cell: Cell) -> Cell:
    return replace(cell, n=0, bad=0, waiting=0, p50=None, p90=None, p95=None, hold=0.0, veiled=True)


def _blurred(cell: Cell, minimum: int) -> Cell:
    return cell if cell.n >= minimum else replace(cell, p50=None, p90=None, p95=None)
