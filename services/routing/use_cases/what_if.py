"""Runs a what-if comparison over past cases: page by page, in read-only transactions, without disclosing anything."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.routing.domain.what_if import CityComparison, Difference, GroupsByForm, PastCase, PlacementDifference
from services.routing.store.past_cases import CasePosition, count_since, forbid_writing, list_past
from shared.kit.database.database import Database

PAGE_SIZE: Final = 100
"""Cases that are in memory at the same time."""

ReportLine = dict[str, Any]
"""One line of the report, as JSON."""


class DifferenceTotals:
    """Counts differences; its size grows with the agencies and groups, not with the cases."""

    def __init__(self) -> None:
        self.cases = 0
        self._changed = 0
        self._groups: Counter[tuple[str, str, str, str]] = Counter()
        self._placements: Counter[tuple[str | None, str | None]] = Counter()

    def add(self, differences: Sequence[Difference]) -> None:
        """Count the differences of one case."""
        self.cases += 1
        self._changed += bool(differences)
        for each in differences:
            if isinstance(each, PlacementDifference):
                self._placements[each.before, each.after] += 1
            else:
                self._groups.update((each.agency, *pair, "added") for pair in _pairs(each.added))
                self._groups.update((each.agency, *pair, "removed") for pair in _pairs(each.removed))

    def summary(self) -> ReportLine:
        """Return the last line of the report."""
        keys = sorted({key[:3] for key in self._groups})
        return {
            "kind": "summary",
            "cases": self.cases,
            "changed": self._changed,
            "groups": [
                {
                    "agency": agency,
                    "group": group,
                    "form": form,
                    "added": self._groups[agency, group, form, "added"],
                    "removed": self._groups[agency, group, form, "removed"],
                }
                for agency, group, form in keys
            ],
            "asked": [
                {"before": before, "after": after, "needs": needs}
                for (before, after), needs in sorted(self._placements.items(), key=str)
            ],
        }


async def compare_past_cases(
    database: Database, comparison: CityComparison, since: datetime
) -> AsyncIterator[ReportLine]:
    """Compare the cases that were routed since a moment, the oldest first; the last line is the summary."""
    async with database.transaction(notify_commit=False) as tx:
        await forbid_writing(tx)
        total = await count_since(tx, since)
    totals, position = DifferenceTotals(), CasePosition(since, UUID(int=0))
    yield _progress(0, total)
    while True:
        # One transaction for each page: a long one would keep vacuum from removing old row versions.
        async with database.transaction(notify_commit=False) as tx:
            await forbid_writing(tx)
            page, end = await list_past(tx, position, PAGE_SIZE)
        if end is None:
            break
        # In a thread: deciding a page of cases again takes long enough to delay what the service consumes.
        for line in await asyncio.to_thread(_compare_page, comparison, page, totals):
            yield line
        position = end
        yield _progress(totals.cases, max(total, totals.cases))
    yield totals.summary()


def _compare_page(comparison: CityComparison, page: Iterable[PastCase], totals: DifferenceTotals) -> list[ReportLine]:
    lines: list[ReportLine] = []
    for past in page:
        differences = tuple(comparison.differences(past))
        totals.add(differences)
        lines += [_line(past, each) for each in differences]
    return lines


def _progress(done: int, total: int) -> ReportLine:
    return {"kind": "progress", "done": done, "total": total}


def _line(past: PastCase, difference: Difference) -> ReportLine:
    report, need = past.case.report, difference.need
    about = {
        "case_id": str(report.case_id),
        "service_request_id": report.service_request_id,
        "need": need.need,
        "need_id": str(need.need_id),
    }
    if isinstance(difference, PlacementDifference):
        before, after = difference.before, difference.after
        return {"kind": "asked", **about, "before": before, "after": after, "why": difference.why}
    added, removed = _as_json(difference.added), _as_json(difference.removed)
    return {"kind": "shared", **about, "agency": difference.agency, "added": added, "removed": removed}


def _as_json(groups: GroupsByForm) -> dict[str, list[str]]:
    return {form.value: sorted(names) for form, names in groups.items()}


def _pairs(groups: GroupsByForm) -> list[tuple[str, str]]:
    return [(group.value, form.value) for form, names in groups.items() for group in names]
