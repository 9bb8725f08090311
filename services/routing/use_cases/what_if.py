"""Goes through past cases to see what would have been different: page by page, reading only, disclosing nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.routing.domain.what_if import (
    CityComparison,
    DisclosureDifference,
    GroupsByForm,
    PastCase,
    PlacementDifference,
)
from services.routing.store.past_cases import CasePosition, count_since, forbid_writing, list_past
from shared.kit.database.database import Database

PAGE: Final = 100
"""Cases that are in memory at once."""

ReportLine = dict[str, Any]
"""One line of the report, as JSON has it."""


@dataclass(slots=True)
class DifferenceTotals:
    """What the differences come to; it grows with the number of agencies and groups, and not with the cases."""

    cases: int = 0
    changed: int = 0
    groups: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    asked: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)

    def note(self, differences: Iterable[PlacementDifference | DisclosureDifference]) -> None:
        """Count one case."""
        self.cases += 1
        differences = tuple(differences)
        self.changed += bool(differences)
        for each in differences:
            if isinstance(each, PlacementDifference):
                self.asked[each.before, each.after] += 1
            else:
                self.groups.update((each.agency, *rest, "added") for rest in _flat(each.added))
                self.groups.update((each.agency, *rest, "removed") for rest in _flat(each.removed))

    def line(self) -> ReportLine:
        """Return the last line of the report."""
        pairs = sorted({key[:3] for key in self.groups})
        return {
            "kind": "summary",
            "cases": self.cases,
            "changed": self.changed,
            "groups": [
                {
                    "agency": agency,
                    "group": group,
                    "form": form,
                    "added": self.groups[agency, group, form, "added"],
                    "removed": self.groups[agency, group, form, "removed"],
                }
                for agency, group, form in pairs
            ],
            "asked": [
                {"before": before, "after": after, "needs": needs}
                for (before, after), needs in sorted(self.asked.items(), key=str)
            ],
        }


async def compare_past_cases(database: Database, trial: CityComparison, since: datetime) -> AsyncIterator[ReportLine]:
    """Go through the cases that were routed since a moment, the oldest first; the last line sums up."""
    async with database.transaction(notify_commit=False) as tx:
        await forbid_writing(tx)
        total = await count_since(tx, since)
    tally, place = DifferenceTotals(), CasePosition(since, UUID(int=0))
    yield _progress(0, total)
    while True:
        async with database.transaction(notify_commit=False) as tx:
            await forbid_writing(tx)
            page, end = await list_past(tx, place, PAGE)
        if end is None:
            break
        for line in await asyncio.to_thread(_compare, trial, page, tally):
            yield line
        place = end
        yield _progress(tally.cases, max(total, tally.cases))
    yield tally.line()


def _compare(trial: CityComparison, page: Iterable[PastCase], tally: DifferenceTotals) -> list[ReportLine]:
    lines: list[ReportLine] = []
    for past in page:
        differences = tuple(trial.differences(past))
        tally.note(differences)
        lines += [_line(past, each) for each in differences]
    return lines


def _progress(done: int, total: int) -> ReportLine:
    return {"kind": "progress", "done": done, "total": total}


def _line(past: PastCase, found: PlacementDifference | DisclosureDifference) -> ReportLine:
    report = past.case.report
    about = {
        "case_id": str(report.case_id),
        "service_request_id": report.service_request_id,
        "need": found.need.need,
        "need_id": str(found.need.need_id),
    }
    if isinstance(found, PlacementDifference):
        return {"kind": "asked", **about, "before": found.before, "after": found.after, "why": found.why}
    added, removed = _forms(found.added), _forms(found.removed)
    return {"kind": "shared", **about, "agency": found.agency, "added": added, "removed": removed}


def _forms(told: GroupsByForm) -> dict[str, list[str]]:
    return {form.value: sorted(groups) for form, groups in told.items()}


def _flat(told: GroupsByForm) -> Iterable[tuple[str, str]]:
    return [(group.value, form.value) for form, groups in told.items() for group in groups]
