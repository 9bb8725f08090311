"""A figure: two sides measured in turns, their ratio, and the bound that it is held against."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

ROUNDS = 5

Measure = Callable[[], Awaitable[float]]
"""Measures one side once."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured ratio; `bound` is the least or the most that it may be."""

    name: str
    ours: float
    theirs: float
    unit: str
    bound: float
    side: Literal["at least", "at most"]

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs if self.theirs else math.inf

    @property
    def holds(self) -> bool:
        """Tell whether the bound is kept."""
        return self.ratio >= self.bound if self.side == "at least" else self.ratio <= self.bound


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of some values, by the nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


async def in_turns(ours: Measure, theirs: Measure, rounds: int = ROUNDS) -> tuple[float, float]:
    """Measure both sides in turns, each side first every other time, and return the median of each.

    One round before, on each side, is not counted: it warms caches, pools and prepared statements.
    """
    await ours()
    await theirs()
    ours_found, theirs_found = [], []
    for number in range(rounds):
        if number % 2:
            theirs_found.append(await theirs())
            ours_found.append(await ours())
        else:
            ours_found.append(await ours())
            theirs_found.append(await theirs())
    return median(ours_found), median(theirs_found)
