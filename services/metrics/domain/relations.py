"""Relations: which of the figures are sums of others, as a reader of the pages may know or suppose.

A count is named (kind, key) for a total, (table, row, clock, measure) for a cell. The tables `pairing` (agency and
need) and those called after what they add up are never published: they are here because a reader knows the routing
book.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from services.metrics.domain.cell_suppression import Name, Sum
from services.metrics.domain.cells import PAIRING, Cell, row_of
from services.metrics.domain.tallies import Tally

CLOCKS = ("response", "resolution")
"""The clocks whose counts are published."""

TABLES = ("city", "week", "district", "agency", "need", "pairing")
MEASURES = ("n", "bad", "waiting")
Counts = dict[Name, int]

_CASES = ("accepted", "routed", "triage", "pending", "triage.open", "resolved", "withdrawn", "reopened", "recorded")
"""The totals that count cases."""

_WITHIN = {
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
"""Of each total, the totals that count some of the same."""

_TOGETHER = {
    "accepted": ("routed", "triage", "pending"),
    "referral.requested": (
        "referral.open", "referral.completed", "referral.rejected", "referral.failed", "referral.cancelled",
        "referral.transferred",
    ),
}  # fmt: skip
"""Of each total, the totals that make it up between them."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is published is made from these: totals by name, cells by table and clock."""

    totals: Tally
    cells: Mapping[tuple[str, str], Sequence[Cell]]


class Ledger:
    """The sums that are found between some counts, and the counts that only sums are made of."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.sums: list[Sum] = []

    def within(self, whole: Name, part: Name) -> None:
        """Note that one count is of some of what the other counts; what is left over is a count, too."""
        if whole in self.counts and part in self.counts:
            self._note(whole, [part], ("rest", *whole, *part))

    def make_up(self, whole: Name, parts: Sequence[Name]) -> None:
        """Note that these counts make up another, but for a rest: figures are not all of one moment."""
        if parts and self.counts.keys() >= {whole, *parts}:
            self._note(whole, parts, ("rest", *whole, parts[0][0]))

    def add_up(self, whole: Name, parts: Sequence[Name]) -> None:
        """Note what these counts add up to; as a count of its own where it is not what is known already."""
        if parts and self.counts.keys() >= set(parts):
            total = sum(self.counts[part] for part in parts)
            whole = whole if self.counts.get(whole, total) == total else (*whole, parts[0][0])
            self.counts[whole] = total
            self.sums.append(Sum(whole, tuple(parts)))

    def _note(self, whole: Name, parts: Sequence[Name], rest: Name) -> None:
        left = self.counts[whole] - sum(self.counts[part] for part in parts)
        if left > 0:
            self.counts[rest] = left
        if left >= 0:
            self.sums.append(Sum(whole, (*parts, rest) if left else tuple(parts)))


def counts_of(figures: Figures) -> Counts:
    """Name every count."""
    counts: Counts = {("total", name): count for name, count in figures.totals.items()}
    for (table, clock), cells in figures.cells.items():
        for cell in cells if clock in CLOCKS else ():
            counts |= {
                (table, row_of(table, cell.key, cell.week), clock, measure): getattr(cell, measure)
                for measure in MEASURES
            }
    return counts


def sums_of(counts: Counts) -> list[Sum]:
    """Return the sums between these counts; counts that nobody publishes are added to them as they are needed."""
    known = Ledger(counts)
    for whole, parts in _WITHIN.items():
        for part in parts:
            known.within(("total", whole), ("total", part))
    for whole, parts in _TOGETHER.items():
        known.make_up(("total", whole), [("total", part) for part in parts])
    for row in {name[:2] for name in counts if name[0] in TABLES}:
        _relate_clocks(known, *row)
    for clock in CLOCKS:
        for measure in MEASURES:
            _relate_tables(known, clock, measure)
    _relate_city(known)
    _relate_referrals(known)
    return known.sums


def _relate_clocks(known: Ledger, table: str, key: str) -> None:
    """Relate the clocks of one row: what is done was answered, and what was not answered is open."""
    response, resolution = ((table, key, clock) for clock in CLOCKS)
    known.add_up(("answered", table, key), [(*response, "n"), (*response, "bad")])
    known.add_up(("ended", table, key), [(*resolution, "n"), (*resolution, "bad")])
    known.within(("answered", table, key), ("ended", table, key))
    for measure in ("n", "waiting"):
        known.within((*response, "n"), (*resolution, measure))
    known.within((*resolution, "waiting"), (*response, "waiting"))


def _relate_tables(known: Ledger, clock: str, measure: str) -> None:
    """Relate weeks and districts to the whole city, agencies and needs to each other."""
    rows = {
        table: [name for name in known.counts if name[0] == table and name[2:] == (clock, measure)] for table in TABLES
    }
    for table in ("week", "district"):
        known.make_up(("city", "", clock, measure), rows[table])
    for place, table in enumerate(("agency", "need")):
        known.add_up(("referrals", "", clock, measure), rows[table])
        for name in rows[table]:
            known.make_up(name, [pair for pair in rows["pairing"] if pair[1].split(PAIRING)[place] == name[1]])


def _relate_city(known: Ledger) -> None:
    """Relate the row of the whole city, its parts, and the totals of cases: nearly all cases pass through them all."""
    accepted, resolved = ("total", "accepted"), ("total", "resolved")
    answered, ended = ("answered", "city", ""), ("ended", "city", "")
    cells = [name for name in known.counts if name[0] == "city"]
    whole = [answered, ended, *cells, *(("total", name) for name in _CASES)]
    for one, other in permutations(whole, 2):
        known.within(one, other)
    for part in [name for name in known.counts if name[0] in {"week", "district"}]:
        known.within(accepted, part)
        known.within(resolved, part)
    known.make_up(accepted, [resolved, ("city", "", "resolution", "waiting")])


def _relate_referrals(known: Ledger) -> None:
    """Relate what the tables of agencies and needs add up to to the totals of referrals."""
    response, resolution = (("referrals", "", clock) for clock in CLOCKS)
    known.add_up(("answered", "referrals"), [(*response, "n"), (*response, "bad")])
    known.add_up(("ended", "referrals"), [(*resolution, "n"), (*resolution, "bad")])
    for part in [name for name in known.counts if name[0] in {"agency", "need", "answered", "ended"}]:
        known.within(("total", "referral.requested"), part)
    known.make_up(("total", "referral.completed"), [("ended", "referrals")])
    known.make_up(("total", "referral.open"), [(*resolution, "waiting")])
