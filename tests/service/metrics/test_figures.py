"""Figures are those that anyone can compute from the events themselves."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.metrics.domain.cells import ALL_TIME, Cell
from services.metrics.domain.clocks import CLOCKS_BY_DIMENSION, measure_case, measure_referral
from services.metrics.domain.records import CaseRecord
from services.metrics.domain.tallies import tally
from services.metrics.store.cells import get_totals, list_cells
from shared.events import referrals
from shared.events.agency_inbox import UNDISCLOSED
from tests.service.metrics.harness import MetricsHarness
from tests.unit.metrics.case_events import CaseEvents, random_case
from tests.unit.metrics.test_clocks import record_of

pytestmark = pytest.mark.servers
NOISE, POLICE = "noise", "nypd"


def percentile(values: Sequence[float], share: float) -> float | None:
    """Interpolate linearly between the two nearest ranks."""
    if not values:
        return None
    ordered = sorted(values)
    rank = share * (len(ordered) - 1)
    below = int(rank)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (rank - below) * (ordered[above] - ordered[below])


def expected(
    records: Sequence[CaseRecord], harness: MetricsHarness, by: str, clock: str
) -> dict[tuple[str, Any], tuple[Any, ...]]:
    """Compute n, invalid, open, p50, p90 and p95 of each group, by week and for all time, straight from the cases."""
    groups: dict[tuple[str, Any], list[float]] = {}
    still_open: Counter[tuple[str, Any]] = Counter()
    for record in records:
        clocks: list[Any] = [measure_case(record, harness.city.zone)]
        if by not in {"city", "district"}:
            holds = record.holds
            clocks = [measure_referral(r, holds.get(r.referral_id, ()), harness.city.zone) for r in record.referrals]
        for one in clocks:
            key = "" if by == "city" else getattr(one, by)
            for week in (one.week, ALL_TIME):
                seconds = getattr(one, clock)
                groups.setdefault((key, week), []).extend([] if seconds is None else [seconds])
                still_open[key, week] += seconds is None and one.is_open
    found = {}
    for group, seconds in groups.items():
        good = [value for value in seconds if value >= 0]
        shares = [percentile(good, share) for share in (0.5, 0.9, 0.95)]
        invalid = len(seconds) - len(good)
        if seconds or still_open[group]:
            near = [pytest.approx(share) if share is not None else None for share in shares]
            found[group] = (len(good), invalid, still_open[group], *near)
    return found


def figures(cells: Sequence[Cell]) -> dict[tuple[str, Any], tuple[Any, ...]]:
    return {(cell.key, cell.week): (cell.n, cell.invalid, cell.open, cell.p50, cell.p90, cell.p95) for cell in cells}


async def all_cells(harness: MetricsHarness, by: str, clock: str) -> list[Cell]:
    async with harness.service.database.transaction() as tx:
        return await list_cells(tx, by, clock, ALL_TIME, ALL_TIME + timedelta(days=3_000_000))


async def test_percentiles_equal_those_computed_from_the_events(harness: MetricsHarness) -> None:
    cases = [random_case(number, number) for number in range(60)]
    await harness.consume(*cases)
    await harness.refresh_figures()
    records = [record_of(case) for case in cases]
    for by, clocks in CLOCKS_BY_DIMENSION.items():
        for clock in clocks:
            assert figures(await all_cells(harness, by, clock)) == expected(records, harness, by, clock), (by, clock)


async def test_figures_computed_while_events_arrive_end_up_the_same(harness: MetricsHarness) -> None:
    cases = [random_case(number, number) for number in range(30)]
    for number, case in enumerate(cases):
        halves = [case.events[len(case.events) // 2 :], case.events[: len(case.events) // 2]]
        for part, half in enumerate(halves):
            await harness.consume_once(half)
            if (number + part) % 5 == 0:
                await harness.refresh_figures()
    await harness.refresh_figures()
    records = [record_of(case) for case in cases]
    for by in ("agency", "city", "district"):
        assert figures(await all_cells(harness, by, "resolution")) == expected(records, harness, by, "resolution")
    totals: Counter[str] = Counter()
    for record in records:
        totals.update(tally(record))
    async with harness.service.database.transaction() as tx:
        kept = (await get_totals(tx)).counts
    assert {name: n for name, n in kept.items() if n} == dict(totals)


async def test_only_cells_with_a_change_are_marked(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    await harness.consume(case, random_case(2, 2))
    await harness.refresh_figures()
    so_far = len(case.events)
    case.notify()
    await harness.consume_once(case.events[so_far:])
    await harness.recount()
    assert harness.query("SELECT * FROM stale_cells") == []
    case.refer(referrals.ReferralAccepted, NOISE, POLICE)
    await harness.consume_once(case.events[-1:])
    await harness.recount()
    touched = {(row["dimension"], row["key"]) for row in harness.query("SELECT dimension, key FROM stale_cells")}
    assert touched == {
        ("agency", POLICE), ("program", f"{POLICE}/first"), ("need", NOISE), ("pairing", f"{POLICE} {NOISE}"),
        ("city", ""), ("district", "bronx"),
    }  # fmt: skip


async def test_a_cell_that_has_lost_all_its_clocks_is_empty(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    filed, *routed = case.events
    await harness.consume_once(routed)
    await harness.refresh_figures()
    for dimension in ("district", "agency", "need"):  # its service is not known yet, and may be a protected one
        assert {cell.key for cell in await all_cells(harness, dimension, "response")} == {UNDISCLOSED}
    await harness.consume_once([filed])
    await harness.refresh_figures()
    assert [cell.key for cell in await all_cells(harness, "district", "response")] == ["bronx", "bronx"]
    assert {cell.key for cell in await all_cells(harness, "agency", "response")} == {POLICE}
    assert {cell.key for cell in await all_cells(harness, "need", "response")} == {NOISE}


async def test_times_that_run_backwards_count_as_invalid_and_are_never_shown(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    case.refer(referrals.ReferralAccepted, NOISE, POLICE, at=case.now - timedelta(days=1))
    await harness.consume(case)
    await harness.refresh_figures()
    [cell] = [cell for cell in await all_cells(harness, "agency", "response") if cell.week == ALL_TIME]
    assert (cell.n, cell.invalid, cell.p50) == (0, 1, None)


async def test_figures_say_how_far_behind_they_are(harness: MetricsHarness) -> None:
    await harness.consume(CaseEvents(1).file())
    await harness.refresh_figures()
    await harness.consume(CaseEvents(2).file())
    [oldest] = harness.query("SELECT min(heard_at) AS heard_at FROM stale_cases")
    async with harness.service.database.transaction() as tx:
        totals = await get_totals(tx)
        [cell] = await list_cells(tx, "city", "response")
    assert totals.as_of == cell.as_of == oldest["heard_at"]
    assert totals.counts["accepted"] == 1


async def test_a_case_with_no_event_but_an_agencys_own_does_no_harm(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).answer(NOISE, POLICE)
    await harness.consume_once(case.events[-1:])
    await harness.refresh_figures()
    assert harness.query("SELECT n FROM totals WHERE n <> 0") == []
