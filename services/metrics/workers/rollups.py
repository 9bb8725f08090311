"""Rollups: figures follow the facts, in the background, touching only what changed.

A cell needs every value in it, so one of all time costs more the longer the history is. Paces keep that from slowing
the present: each kind of cells may take a small share of the time, and rests for the remainder. How far behind the
figures are is told with them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

from services.metrics.domain.cells import DIMENSIONS
from services.metrics.domain.clocks import clock_case, clock_referral
from services.metrics.domain.records import conceal
from services.metrics.domain.tallies import tally
from services.metrics.jurisdiction import City
from services.metrics.store.cells import refresh_cells
from services.metrics.store.figures import CASES, REFERRALS, save_clocks, save_tallies
from services.metrics.store.records import Taken, is_alone, load_records, take_stale
from services.metrics.store.spans import estimate_spans, prune_spans
from shared.kit.database.database import TRANSIENT_ERRORS, Database

log = logging.getLogger(__name__)

MARKS = 2000
"""Marks taken in one transaction: about a fifth of a second of work."""

ROUNDS = 20
"""So often marks are taken before the cells get their turn."""

SHARE = 0.02
"""What each kind of cells may take of the time: twelve kinds, a quarter of a processor at worst."""

PRUNE_SECONDS = 60.0
PRUNE_ROUNDS = 100


class Pace:
    """Work that may take no more than a share of the time."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._next = 0.0

    @property
    def is_due(self) -> bool:
        """Tell whether the rest has been long enough."""
        return monotonic() >= self._next

    @asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        """Measure the block, and rest accordingly."""
        started = monotonic()
        try:
            yield
        finally:
            ended = monotonic()
            self._next = ended + (ended - started) * (1 / self._share - 1)


async def count_stale(database: Database, city: City) -> int:
    """Count the cases anew of which something was heard; return how many marks were worked off."""
    async with database.transaction() as tx:
        taken = await take_stale(tx, MARKS) if await is_alone(tx) else Taken()
        if taken.since is None:
            return 0
        records = await load_records(tx, taken.case_ids)
        tabled = [conceal(record, city.protection) for record in records]
        referrals = [
            clocks
            for record in tabled
            for referral in record.referrals
            if (clocks := clock_referral(referral, record.holds.get(referral.referral_id, ()), city.zone))
        ]
        await save_clocks(tx, CASES, [clock_case(record, city.zone) for record in tabled], taken.since)
        await save_clocks(tx, REFERRALS, referrals, taken.since)
        await save_tallies(tx, {record.case.case_id: tally(record) for record in records})
        return taken.marks


async def refresh(database: Database, dimension: str, *, all_time: bool) -> None:
    """Make touched cells of one dimension anew."""
    async with database.transaction() as tx:
        if await is_alone(tx):
            await refresh_cells(tx, dimension, all_time=all_time)


async def keep_figures(database: Database, city: City, pause: float) -> None:
    """Let the figures follow the facts, for as long as the service runs."""
    paces = {(dimension, all_time): Pace(SHARE) for dimension in DIMENSIONS for all_time in (False, True)}
    while True:
        async with _patient():
            for _ in range(ROUNDS):
                if await count_stale(database, city) < MARKS:
                    break
            for (dimension, all_time), pace in paces.items():
                if pace.is_due:
                    async with pace.work():
                        await refresh(database, dimension, all_time=all_time)
        await asyncio.sleep(pause)


async def keep_pruning(database: Database, age: timedelta, most: int) -> None:
    """Throw old spans away, for as long as the service runs."""
    while True:
        async with _patient():
            await prune(database, age, most)
        await asyncio.sleep(PRUNE_SECONDS)


async def prune(database: Database, age: timedelta, most: int) -> None:
    """Throw spans away that are old, or too many; whatever is left over waits for the next time."""
    async with database.transaction() as tx:
        excess = await estimate_spans(tx) - most
    for _ in range(PRUNE_ROUNDS):
        async with database.transaction() as tx:
            gone = await prune_spans(tx, age, excess)
        excess -= gone
        if not gone:
            break


@asynccontextmanager
async def _patient() -> AsyncIterator[None]:
    """Let a block fail when the database is away: the next round comes soon enough."""
    try:
        yield
    except TRANSIENT_ERRORS as error:
        log.warning("figures wait: %s", type(error).__name__)
        await asyncio.sleep(1)
