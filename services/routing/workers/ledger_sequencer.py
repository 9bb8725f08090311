"""The sequencer: gives receipts their places in the ledger, behind the commits that made them, and has it signed.

Of several instances one adds at a time. What it adds is in one transaction: places, leaves, and the nodes above them.
"""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from math import inf
from time import monotonic
from typing import Final

import psycopg

from services.routing.store.checkpoints import find_latest
from services.routing.store.ledger import (
    DamagedLedgerError,
    add_nodes,
    load_nodes,
    lock_ledger,
    oldest_unplaced_seconds,
    read_size,
)
from services.routing.store.receipts import place_receipts
from services.routing.use_cases.ledger import sign_if_due
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.policy.checkpoint import Signer
from shared.policy.merkle import append, peaks_of
from shared.policy.receipts import leaf_of

log = logging.getLogger(__name__)

RECEIPTS_AT_ONCE: Final = 1000
GATHER_SECONDS: Final = 0.5
"""Receipts that come within this time share a transaction: nobody waits for their places."""

IDLE_SECONDS: Final = 1.0
SIGN_LOOK_SECONDS: Final = 30.0
SIGN_EVERY: Final = timedelta(hours=1)
ALARM_SECONDS: Final = 60.0
"""A receipt that has waited longer for its place is an alarm."""

ALARM_LOOK_SECONDS: Final = 10.0


async def sequence(database: Database, most: int = RECEIPTS_AT_ONCE) -> int:
    """Give some receipts their places; return how many, 0 where another instance is at it.

    Raises:
        DamagedLedgerError: the ledger has lost something that was signed, or that is needed to go on.
    """
    async with database.transaction(notify_commit=False) as tx:
        if not await lock_ledger(tx):
            return 0
        size, signed = await read_size(tx), await find_latest(tx)
        if signed is not None and size < signed.tree.size:
            raise DamagedLedgerError(f"{signed.tree.size} receipts were signed, and only {size} have a place")
        placed = await place_receipts(tx, size, most)
        if placed:
            peaks = await load_nodes(tx, peaks_of(size))
            await add_nodes(tx, append(size, peaks, [leaf_of(each.facts) for each in placed]))
    return len(placed)


class LedgerSequencer:
    """Looks after the ledger for as long as the service runs."""

    def __init__(self, database: Database, signer: Signer, idle_seconds: float = IDLE_SECONDS) -> None:
        self._database = database
        self._signer = signer
        self._idle_seconds = idle_seconds
        self._committed = database.commit_event()
        self._problems: dict[str, str] = {}

    async def run(self) -> None:
        """Give places until cancelled: soon after commits of this process, else now and then."""
        looked_for_signing = -inf
        while True:
            self._committed.clear()
            placed = await self._attempt("place", sequence(self._database))
            if monotonic() - looked_for_signing > SIGN_LOOK_SECONDS:
                looked_for_signing = monotonic()
                await self._attempt("sign", self._sign())
            if placed < RECEIPTS_AT_ONCE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._committed.wait(), self._idle_seconds)
                await asyncio.sleep(GATHER_SECONDS)

    async def watch(self) -> None:
        """Raise an alarm when a receipt has waited too long for its place, whatever the reason."""
        while True:
            if problem := await self.problem():
                log.critical("%s", problem)
            await asyncio.sleep(ALARM_LOOK_SECONDS)

    async def problem(self) -> str | None:
        """Say what is wrong with the ledger; None when nothing is."""
        try:
            waited = await self._oldest_seconds()
        except TRANSIENT_ERRORS:
            return None  # which is the database's own problem, and said as that
        except psycopg.Error as error:
            return f"ledger: {type(error).__name__}"
        if waited > ALARM_SECONDS:
            return f"ledger: a receipt has waited {waited:.0f} seconds for its place"
        return next(iter(self._problems.values()), None)

    async def figures(self) -> dict[str, float]:
        """Return for how many seconds the oldest receipt has waited for its place; 0 when none does."""
        return {"ledger_oldest_unplaced_seconds": await self._oldest_seconds()}

    async def _oldest_seconds(self) -> float:
        async with self._database.transaction(notify_commit=False) as tx:
            return await oldest_unplaced_seconds(tx)

    async def _sign(self) -> int:
        async with self._database.transaction(notify_commit=False) as tx:
            await sign_if_due(tx, self._signer, SIGN_EVERY)
        return 0

    async def _attempt(self, work: str, doing: Awaitable[int]) -> int:
        """Do a part of the work; why it cannot be done is remembered and said, without what a database error tells."""
        try:
            done = await doing
        except TRANSIENT_ERRORS as error:
            log.warning("the ledger waits: %s", type(error).__name__)
        except DamagedLedgerError as error:
            self._complain(work, str(error))
        except psycopg.Error as error:
            self._complain(work, type(error).__name__)
        else:
            self._problems.pop(work, None)
            return done
        return 0

    def _complain(self, work: str, words: str) -> None:
        problem = f"ledger: {words}"
        if self._problems.get(work) != problem:
            log.critical("the ledger cannot go on: %s; see `handoff ledger verify`", words)
        self._problems[work] = problem
