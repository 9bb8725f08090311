"""The sequencer gives receipts their places in the ledger after they commit, and has the ledger signed.

One instance adds at a time, each time in one transaction: places, leaves, and the nodes above them. Doing this after
the commit keeps the lock of the ledger out of the transactions that disclose.
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

from services.routing.store.checkpoints import find_latest_checkpoint
from services.routing.store.ledger import (
    DamagedLedgerError,
    insert_nodes,
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

BATCH_SIZE: Final = 1000
"""Receipts that one transaction places at most."""

GATHER_SECONDS: Final = 0.5
"""Receipts that commit within this time share a transaction: no request waits for their places."""

IDLE_SECONDS: Final = 1.0
"""The longest pause between two polls: another process may have committed receipts."""

SIGN_POLL_SECONDS: Final = 30.0
SIGN_EVERY: Final = timedelta(hours=1)
ALARM_SECONDS: Final = 60.0
"""A receipt that has no place after this time is a problem that readiness and the log report."""

ALARM_POLL_SECONDS: Final = 10.0


async def sequence(database: Database, most: int = BATCH_SIZE) -> int:
    """Give some receipts their places; return the number, 0 while another instance has the lock of the ledger.

    Raises:
        DamagedLedgerError: receipts that were signed are missing, or nodes that the new ones build on.
    """
    async with database.transaction(notify_commit=False) as tx:
        if not await lock_ledger(tx):
            return 0
        size, signed = await read_size(tx), await find_latest_checkpoint(tx)
        if signed is not None and size < signed.tree.size:
            raise DamagedLedgerError(f"{signed.tree.size} receipts were signed, and only {size} have a place")
        placed = await place_receipts(tx, size, most)
        if placed:
            peaks = await load_nodes(tx, peaks_of(size))
            await insert_nodes(tx, append(size, peaks, [leaf_of(each.facts) for each in placed]))
    return len(placed)


class LedgerSequencer:
    """Places receipts and signs checkpoints for as long as the service runs."""

    def __init__(self, database: Database, signer: Signer, idle_seconds: float = IDLE_SECONDS) -> None:
        self._database = database
        self._signer = signer
        self._idle_seconds = idle_seconds
        self._committed = database.commit_event()
        self._problems: dict[str, str] = {}

    async def run(self) -> None:
        """Place receipts until cancelled: soon after a commit of this process, else every `idle_seconds`."""
        last_sign_poll = -inf
        while True:
            self._committed.clear()  # before the poll: a commit during it leads to another one
            placed = await self._attempt("place", sequence(self._database))
            if monotonic() - last_sign_poll > SIGN_POLL_SECONDS:
                last_sign_poll = monotonic()
                await self._attempt("sign", self._sign())
            if placed < BATCH_SIZE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._committed.wait(), self._idle_seconds)
                await asyncio.sleep(GATHER_SECONDS)

    async def watch(self) -> None:
        """Log every problem of the ledger until cancelled, also when `run` is stuck."""
        while True:
            if problem := await self.problem():
                log.critical("%s", problem)
            await asyncio.sleep(ALARM_POLL_SECONDS)

    async def problem(self) -> str | None:
        """Return what is wrong with the ledger; None if nothing is."""
        try:
            waited = await self._oldest_seconds()
        except TRANSIENT_ERRORS:
            return None  # the database reports this problem itself
        except psycopg.Error as error:
            return f"ledger: {type(error).__name__}"
        if waited > ALARM_SECONDS:
            return f"ledger: a receipt has waited {waited:.0f} seconds for its place"
        return next(iter(self._problems.values()), None)

    async def figures(self) -> dict[str, float]:
        """Return for how many seconds the oldest receipt without a place has waited; 0 if there is none."""
        return {"ledger_oldest_unplaced_seconds": await self._oldest_seconds()}

    async def _oldest_seconds(self) -> float:
        async with self._database.transaction(notify_commit=False) as tx:
            return await oldest_unplaced_seconds(tx)

    async def _sign(self) -> int:
        async with self._database.transaction(notify_commit=False) as tx:
            await sign_if_due(tx, self._signer, SIGN_EVERY)
        return 0

    async def _attempt(self, work: str, doing: Awaitable[int]) -> int:
        """Await one part of the work; a failure becomes a problem.

        Of a database error only the class is reported: its text can hold values of a row.
        """
        try:
            done = await doing
        except TRANSIENT_ERRORS as error:
            log.warning("ledger sequencer paused: database unavailable (%s)", type(error).__name__)
        except DamagedLedgerError as error:
            self._report(work, str(error))
        except psycopg.Error as error:
            self._report(work, type(error).__name__)
        else:
            self._problems.pop(work, None)
            return done
        return 0

    def _report(self, work: str, cause: str) -> None:
        problem = f"ledger: {cause}"
        if self._problems.get(work) != problem:
            log.critical("ledger sequencer failed: %s; run `handoff ledger verify`", cause)
        self._problems[work] = problem
