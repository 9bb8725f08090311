"""Computes figures: clocks, tallies and totals of stale cases, then the cells that these change."""

from typing import Final

from services.metrics.domain.city import MetricsCity
from services.metrics.domain.clocks import measure_case, measure_referral
from services.metrics.domain.records import StaleCases
from services.metrics.domain.redaction import redact_record
from services.metrics.domain.tallies import tally
from services.metrics.store import cells
from services.metrics.store.figures import CASE_CLOCKS, REFERRAL_CLOCKS, save_clocks, save_tallies
from services.metrics.store.records import load_records, take_stale_cases, try_lock_leader
from shared.kit.database.database import Database

MARKERS_PER_TRANSACTION: Final = 2000
"""About a fifth of a second of work."""


async def recount_cases(database: Database, city: MetricsCity) -> int:
    """Compute the clocks and tallies of stale cases; return how many markers were taken, 0 when none is left.

    Does nothing while another process computes figures.
    """
    async with database.transaction() as tx:
        stale = await take_stale_cases(tx, MARKERS_PER_TRANSACTION) if await try_lock_leader(tx) else StaleCases()
        if stale.since is None:
            return 0
        records = await load_records(tx, stale.case_ids)
        # Clocks go into tables by district, agency and need, where a case about violence must not have a row. Totals
        # count every case.
        tabled = [redact_record(record, city.protection) for record in records]
        referrals = [
            clocks
            for record in tabled
            for referral in record.referrals
            if (clocks := measure_referral(referral, record.holds.get(referral.referral_id, ()), city.zone))
        ]
        await save_clocks(tx, CASE_CLOCKS, [measure_case(record, city.zone) for record in tabled], stale.since)
        await save_clocks(tx, REFERRAL_CLOCKS, referrals, stale.since)
        await save_tallies(tx, {record.case.case_id: tally(record) for record in records})
        return stale.markers


async def refresh_cells(database: Database, dimension: str, *, all_time: bool) -> None:
    """Compute stale cells of one dimension again; does nothing while another process computes figures."""
    async with database.transaction() as tx:
        if await try_lock_leader(tx):
            await cells.refresh_cells(tx, dimension, all_time=all_time)
