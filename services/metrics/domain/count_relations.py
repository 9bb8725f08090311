"""Which of the published counts are sums of others, as a reader of the pages may know or assume.

A total is named (`total`, its name), a count of a cell (table, row, clock, measure). The table `pairing` (agency and
need), and the names that start with `answered`, `ended`, `referrals` or `rest`, are never published: they are here
because a reader who knows the routing rules can compute with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from services.metrics.domain.cell_suppression import CountName, SumRelation
from services.metrics.domain.cells import PAIRING, Cell, row_key
from services.metrics.domain.tallies import Tally

PUBLISHED_CLOCKS: Final = ("response", "resolution")
"""The clocks whose counts are published."""

TABLES: Final = ("city", "week", "district", "agency", "need", "pairing")
MEASURES: Final = ("n", "invalid", "open")
"""The counts of a cell."""

Counts = dict[CountName, int]

_CASES = ("accepted", "routed", "triage", "pending", "triage.open", "resolved", "withdrawn", "reopened", "recorded")
"""The totals that count cases."""

_SUBSETS = {
    "referral.requested": (
        "referral.accepted", "referral.rejected", "referral.started", "referral.completed", "referral.failed",
        "referral.cancelled", "referral.transferred", "referral.overdue", "referral.escalated", "referral.open",
        "referral.unanswered_overdue",
    ),
    "referral.accepted": ("referral.started", "referral.completed"),
    "referral.started": ("referral.completed",),
    "referral.overdue": ("referral.escalated", "referral.unanswered_overdue"),
    "referral.open": ("referral.unanswered_overdue",),
}  # fmt: skip
"""For each total the totals that count some of the same referrals."""

_PARTS = {
    "accepted": ("routed", "triage", "pending"),
    "referral.requested": (
        "referral.open", "referral.completed", "referral.rejected", "referral.failed", "referral.cancelled",
        "referral.transferred",
    ),
}  # fmt: skip
"""For each total the totals that add up to it."""


@dataclass(frozen=True, slots=True)
class Aggregates:
    """The figures that everything published is made from."""

    totals: Tally

    cells: Mapping[tuple[str, str], Sequence[Cell]]
    """By table and clock."""


class SumRelations:
    """Collects the sums between counts, and adds the unpublished counts that only sums mention to `counts`."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.sums: list[SumRelation] = []

    def add_subset(self, whole: CountName, part: CountName) -> None:
        """Record that `part` counts some of what `whole` counts; what it leaves out is a count, too."""
        if whole in self.counts and part in self.counts:
            self._add(whole, [part], ("rest", *whole, *part))

    def add_parts(self, whole: CountName, parts: Sequence[CountName]) -> None:
        """Record that `parts` add up to `whole`, but for a rest: not all figures were computed at the same time."""
        if parts and self.counts.keys() >= {whole, *parts}:
            self._add(whole, parts, ("rest", *whole, parts[0][0]))

    def add_total(self, whole: CountName, parts: Sequence[CountName]) -> None:
        """Record the sum of `parts` under the name `whole`, or under another name if `whole` has another value."""
        if parts and self.counts.keys() >= set(parts):
            total = sum(self.counts[part] for part in parts)
            whole = whole if self.counts.get(whole, total) == total else (*whole, parts[0][0])
            self.counts[whole] = total
            self.sums.append(SumRelation(whole, tuple(parts)))

    def _add(self, whole: CountName, parts: Sequence[CountName], rest: CountName) -> None:
        left = self.counts[whole] - sum(self.counts[part] for part in parts)
        if left > 0:
            self.counts[rest] = left
        if left >= 0:  # less than 0: the figures are of different times, and the sum does not hold
            self.sums.append(SumRelation(whole, (*parts, rest) if left else tuple(parts)))


def counts_of(aggregates: Aggregates) -> Counts:
    """Name every count of the totals, and of the cells whose counts are published."""
    counts: Counts = {("total", name): count for name, count in aggregates.totals.items()}
    for (table, clock), cells in aggregates.cells.items():
        for cell in cells if clock in PUBLISHED_CLOCKS else ():
            counts |= {
                (table, row_key(table, cell.key, cell.week), clock, measure): getattr(cell, measure)
                for measure in MEASURES
            }
    return counts


def sums_of(counts: Counts) -> list[SumRelation]:
    """Return the sums between these counts; adds the unpublished counts that the sums need to `counts`."""
    relations = SumRelations(counts)
    for whole, parts in _SUBSETS.items():
        for part in parts:
            relations.add_subset(("total", whole), ("total", part))
    for whole, parts in _PARTS.items():
        relations.add_parts(("total", whole), [("total", part) for part in parts])
    for row in {name[:2] for name in counts if name[0] in TABLES}:
        _relate_clocks(relations, *row)
    for clock in PUBLISHED_CLOCKS:
        for measure in MEASURES:
            _relate_tables(relations, clock, measure)
    _relate_city(relations)
    _relate_referrals(relations)
    return relations.sums


def _relate_clocks(relations: SumRelations, table: str, key: str) -> None:
    """Relate the clocks of one row: what is resolved was answered, and what was not answered is open."""
    response, resolution = ((table, key, clock) for clock in PUBLISHED_CLOCKS)
    relations.add_total(("answered", table, key), [(*response, "n"), (*response, "invalid")])
    relations.add_total(("ended", table, key), [(*resolution, "n"), (*resolution, "invalid")])
    relations.add_subset(("answered", table, key), ("ended", table, key))
    for measure in ("n", "open"):
        relations.add_subset((*response, "n"), (*resolution, measure))
    relations.add_subset((*resolution, "open"), (*response, "open"))


def _relate_tables(relations: SumRelations, clock: str, measure: str) -> None:
    """Relate weeks and districts to the whole city, agencies and needs to each other."""
    rows = {
        table: [name for name in relations.counts if name[0] == table and name[2:] == (clock, measure)]
        for table in TABLES
    }
    for table in ("week", "district"):
        relations.add_parts(("city", "", clock, measure), rows[table])
    for place, table in enumerate(("agency", "need")):
        relations.add_total(("referrals", "", clock, measure), rows[table])
        for name in rows[table]:
            relations.add_parts(name, [pair for pair in rows["pairing"] if pair[1].split(PAIRING)[place] == name[1]])


def _relate_city(relations: SumRelations) -> None:
    """Relate the row of the whole city, its parts, and the totals of cases: most cases count in all of them."""
    accepted, resolved = ("total", "accepted"), ("total", "resolved")
    answered, ended = ("answered", "city", ""), ("ended", "city", "")
    cells = [name for name in relations.counts if name[0] == "city"]
    whole = [answered, ended, *cells, *(("total", name) for name in _CASES)]
    for one, other in permutations(whole, 2):
        relations.add_subset(one, other)
    for part in [name for name in relations.counts if name[0] in {"week", "district"}]:
        relations.add_subset(accepted, part)
        relations.add_subset(resolved, part)
    relations.add_parts(accepted, [resolved, ("city", "", "resolution", "open")])


def _relate_referrals(relations: SumRelations) -> None:
    """Relate the sums of the tables by agency and by need to the totals of referrals."""
    response, resolution = (("referrals", "", clock) for clock in PUBLISHED_CLOCKS)
    relations.add_total(("answered", "referrals"), [(*response, "n"), (*response, "invalid")])
    relations.add_total(("ended", "referrals"), [(*resolution, "n"), (*resolution, "invalid")])
    for part in [name for name in relations.counts if name[0] in {"agency", "need", "answered", "ended"}]:
        relations.add_subset(("total", "referral.requested"), part)
    relations.add_parts(("total", "referral.completed"), [("ended", "referrals")])
    relations.add_parts(("total", "referral.open"), [(*resolution, "open")])
