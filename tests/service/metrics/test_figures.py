"""Aggregates are those that anybody could compute from the events themselves."""

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
from tests.service.metrics.world import World
from tests.unit.metrics.stories import Story, any_story
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
    records: Sequence[CaseRecord], world: World, by: str, clock: str
) -> dict[tuple[str, Any], tuple[Any, ...]]:
    """Compute n, invalid, open, p50, p90 and p95 of each group, by week and for all time, straight from the stories."""
    groups: dict[tuple[str, Any], list[float]] = {}
    still_open: Counter[tuple[str, Any]] = Counter()
    for record in records:
        clocks: list[Any] = [measure_case(record, world.city.zone)]
        if by not in {"city", "district"}:
            holds = record.holds
            clocks = [measure_referral(r, holds.get(r.referral_id, ()), world.city.zone) for r in record.referrals]
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


async def all_cells(world: World, by: str, clock: str) -> list[Cell]:
    async with world.service.database.transaction() as tx:
        return await list_cells(tx, by, clock, ALL_TIME, ALL_TIME + timedelta(days=3_000_000))


async def test_percentiles_equal_those_computed_from_the_events(world: World) -> None:
    stories = [any_story(number, number) for number in range(60)]
    await world.hear(*stories)
    await world.refresh_figures()
    records = [record_of(story) for story in stories]
    for by, clocks in CLOCKS_BY_DIMENSION.items():
        for clock in clocks:
            assert figures(await all_cells(world, by, clock)) == expected(records, world, by, clock), (by, clock)


async def test_figures_made_while_events_come_in_end_up_the_same(world: World) -> None:
    stories = [any_story(number, number) for number in range(30)]
    for number, story in enumerate(stories):
        halves = [story.said[len(story.said) // 2 :], story.said[: len(story.said) // 2]]
        for part, half in enumerate(halves):
            await world.hear_once(half)
            if (number + part) % 5 == 0:
                await world.refresh_figures()
    await world.refresh_figures()
    records = [record_of(story) for story in stories]
    for by in ("agency", "city", "district"):
        assert figures(await all_cells(world, by, "resolution")) == expected(records, world, by, "resolution")
    totals: Counter[str] = Counter()
    for record in records:
        totals.update(tally(record))
    async with world.service.database.transaction() as tx:
        kept = (await get_totals(tx)).counts
    assert {name: n for name, n in kept.items() if n} == dict(totals)


async def test_only_cells_in_which_something_changed_are_made_anew(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    await world.hear(story, any_story(2, 2))
    await world.refresh_figures()
    told = len(story.said)
    story.tell()
    await world.hear_once(story.said[told:])
    await world.recount()
    assert world.query("SELECT * FROM stale_cells") == []
    story.refer(referrals.ReferralAccepted, NOISE, POLICE)
    await world.hear_once(story.said[-1:])
    await world.recount()
    touched = {(row["dimension"], row["key"]) for row in world.query("SELECT dimension, key FROM stale_cells")}
    assert touched == {
        ("agency", POLICE), ("program", f"{POLICE}/first"), ("need", NOISE), ("pairing", f"{POLICE} {NOISE}"),
        ("city", ""), ("district", "bronx"),
    }  # fmt: skip


async def test_a_cell_that_everything_has_left_is_empty(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    filed, *routed = story.said
    await world.hear_once(routed)
    await world.refresh_figures()
    for dimension in ("district", "agency", "need"):  # its service is not known yet, and may be a protected one
        assert {cell.key for cell in await all_cells(world, dimension, "response")} == {UNDISCLOSED}
    await world.hear_once([filed])
    await world.refresh_figures()
    assert [cell.key for cell in await all_cells(world, "district", "response")] == ["bronx", "bronx"]
    assert {cell.key for cell in await all_cells(world, "agency", "response")} == {POLICE}
    assert {cell.key for cell in await all_cells(world, "need", "response")} == {NOISE}


async def test_times_that_run_backwards_are_counted_as_bad_and_never_shown(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    story.refer(referrals.ReferralAccepted, NOISE, POLICE, at=story.now - timedelta(days=1))
    await world.hear(story)
    await world.refresh_figures()
    [cell] = [cell for cell in await all_cells(world, "agency", "response") if cell.week == ALL_TIME]
    assert (cell.n, cell.invalid, cell.p50) == (0, 1, None)


async def test_figures_say_how_far_behind_they_are(world: World) -> None:
    await world.hear(Story(1).file())
    await world.refresh_figures()
    await world.hear(Story(2).file())
    [oldest] = world.query("SELECT min(heard_at) AS heard_at FROM stale_cases")
    async with world.service.database.transaction() as tx:
        totals = await get_totals(tx)
        [cell] = await list_cells(tx, "city", "response")
    assert totals.as_of == cell.as_of == oldest["heard_at"]
    assert totals.counts["accepted"] == 1


async def test_a_case_with_no_event_but_an_agencys_own_does_no_harm(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE}).answer(NOISE, POLICE)
    await world.hear_once(story.said[-1:])
    await world.refresh_figures()
    assert world.query("SELECT n FROM totals WHERE n <> 0") == []
