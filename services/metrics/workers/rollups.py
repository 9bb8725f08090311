"""Computes figures in the background, as events arrive, and only those that change.

A cell is computed from every clock in it, so a cell of all time costs more the longer the history is. A duty cycle
keeps that from slowing the consumers: each kind of cells gets a small share of the time, and pauses for the rest of it.
Each cell says how far behind it is (`as_of`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from services.metrics.domain.cells import DIMENSIONS
from services.metrics.domain.city import MetricsCity
from services.metrics.use_cases.refresh_figures import MARKERS_PER_TRANSACTION, recount_cases, refresh_cells
from shared.kit.database.database import TRANSIENT_ERRORS, Database

log = logging.getLogger(__name__)

RECOUNTS_PER_RUN: Final = 20
"""How often cases are recounted before the cells get their turn."""

SHARE: Final = 0.02
"""The share of the time for each kind of cells: of twelve kinds, at worst a quarter of a processor."""

RETRY_SECONDS: Final = 1.0


class DutyCycle:
    """Limits work to a share of the time."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._due_at = 0.0

    @property
    def is_due(self) -> bool:
        """Tell whether the pause after the last work is over."""
        return monotonic() >= self._due_at

    @asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        """Measure the block, and make the pause after it as long as the share demands."""
        started = monotonic()
        try:
            yield
        finally:
            ended = monotonic()
            self._due_at = ended + (ended - started) * (1 / self._share - 1)


class RollupWorker:
    """Recounts stale cases, and computes the cells that these change.

    Arguments:
        pause: seconds between two runs.
    """

    def __init__(self, database: Database, city: MetricsCity, pause: float) -> None:
        self._database = database
        self._city = city
        self._pause = pause
        self._duty_cycles = {
            (dimension, all_time): DutyCycle(SHARE) for dimension in DIMENSIONS for all_time in (False, True)
        }

    async def run(self) -> None:
        """Compute figures until cancelled."""
        while True:
            try:
                await self._run_once()
            except TRANSIENT_ERRORS as error:
                log.warning("figures are not computed: database unavailable: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(self._pause)

    async def _run_once(self) -> None:
        for _ in range(RECOUNTS_PER_RUN):
            if await recount_cases(self._database, self._city) < MARKERS_PER_TRANSACTION:
                break
        for (dimension, all_time), duty_cycle in self._duty_cycles.items():
            if duty_cycle.is_due:
                async with duty_cycle.work():
                    await refresh_cells(self._database, dimension, all_time=all_time)
