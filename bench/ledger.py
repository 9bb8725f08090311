"""What the ledger costs: the time for a thousand receipts, in a long ledger and in a short one."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

from bench.figures import Figure, in_turns
from bench.servers import Servers, fresh_database
from services.routing.store.receipts import add_receipts
from services.routing.workers.ledger_sequencer import RECEIPTS_AT_ONCE, sequence
from shared.events.disclosures import Ground
from shared.kit.database.database import Database
from shared.policy.receipts import Receipt

LONG, SHORT = 100_000, 1_000


async def long_and_short(own: Servers) -> list[Figure]:
    """Measure both ledgers in turns; each grows by a thousand in every round."""
    async with AsyncExitStack() as stack:
        long = await stack.enter_async_context(fresh_database(own, "routing"))
        short = await stack.enter_async_context(fresh_database(own, "routing"))
        for database, size in ((long, LONG), (short, SHORT)):
            for _ in range(size // RECEIPTS_AT_ONCE):
                await _sequence_a_batch(database)
        took = await in_turns(lambda: _sequence_a_batch(long), lambda: _sequence_a_batch(short))
    return [Figure(f"{RECEIPTS_AT_ONCE:,} receipts after {LONG:,} / after {SHORT:,}", *took, "ms", 1.3, "at most")]


async def _sequence_a_batch(database: Database) -> float:
    """Write a thousand receipts, and return the milliseconds in which they got their places."""
    async with database.transaction() as tx:
        await add_receipts(tx, [_receipt() for _ in range(RECEIPTS_AT_ONCE)])
    began = perf_counter()
    if await sequence(database) != RECEIPTS_AT_ONCE:
        raise RuntimeError("not all receipts got a place")
    return (perf_counter() - began) * 1e3


def _receipt() -> Receipt:
    return Receipt(
        receipt_id=uuid4(),
        case_id=uuid4(),
        referral_id=uuid4(),
        agency="homes",
        given_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        channel="event",
        form="full",
        groups=("need", "location"),
        grounds=(Ground(kind="agreement", id="homes-front-door/all", version=1),),
        purpose="service-delivery",
        policy_set="ab" * 32,
        digest=bytes(32),
    )
