"""A figure: two sides measured in turns, their ratio, and its bound."""

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
    """One measured ratio; `bound` is its lowest or highest allowed value."""

    name: str
    ours: float
    theirs: float
    unit: str
    bound: float
    side: Literal["at least", "at most"]

    @property
    def ratio(self) -> float:
        """`ours` divided by `theirs`."""
        return self.ours / self.theirs if self.theirs else math.inf

    @property
    def holds(self) -> bool:
        """Whether the ratio is within the bound."""
        return self.ratio >= self.bound if self.side == "at least" else self.ratio <= self.bound


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of the values by the nearest rank; `share` is between 0 and 1."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


async def in_turns(ours: Measure, theirs: Measure, rounds: int = ROUNDS) -> tuple[float, float]:
    """Measure both sides in turns, each side first in every other round, and return the median of each.

    A first round is not counted: it warms caches, pools and prepared statements.
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
