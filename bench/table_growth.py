"""Whether work takes longer in a long table: a relay batch in the outbox, and the places of receipts in the ledger."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter

from bench.figures import Figure, in_turns
from bench.servers import Servers, fresh_database, make_topic
from services.routing.workers.ledger_sequencer import BATCH_SIZE, sequence
from shared.kit.database.database import Database
from shared.kit.relay.relay import Relay

FEW_ROWS, MANY_ROWS = 1_000, 100_000
BATCHES = 8
SHORT_LEDGER, LONG_LEDGER = 1_000, 100_000

_FILL_OUTBOX = """
    INSERT INTO outbox (shard, topic, case_id, event_id, event_type, happened_at, classification, causation_id,
        sequence, value)
    SELECT n %% 16, %(topic)s, gen_random_uuid(), gen_random_uuid(), 'case.withdrawn.v1', %(at)s, 'internal',
        gen_random_uuid(), 1, repeat('x', 500)
    FROM generate_series(1, %(rows)s) AS n
"""

_ADD_RECEIPTS = """
    INSERT INTO receipts (receipt_id, case_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose,
        policy_set, digest)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'homes', now() + n * interval '1 second', 'event',
        'full', '{need,location}', '[{"kind": "agreement", "id": "homes-front-door/all", "version": 1}]',
        'service-delivery', repeat('ab', 32), decode(lpad(to_hex(n), 64, '0'), 'hex')
    FROM generate_series(1, %(receipts)s) AS n
"""


async def relay_batches(servers: Servers) -> list[Figure]:
    """Compare the time for 1,000 rows in an outbox of 100,000 rows and in one of 1,000."""
    topic = "bench.relay"
    await make_topic(servers.kafka, topic)
    async with _relay(servers) as (many, many_relay), _relay(servers) as (few, few_relay):

        async def with_many() -> float:
            return await _time_of_a_batch(many, many_relay, topic, MANY_ROWS)

        async def with_few() -> float:
            return await _time_of_a_batch(few, few_relay, topic, FEW_ROWS)

        ours, theirs = await in_turns(with_many, with_few)
    return [
        Figure("relay: a batch with 100,000 rows waiting / with 1,000", ours * 1e3, theirs * 1e3, "ms", 1.3, "at most")
    ]


async def _time_of_a_batch(database: Database, relay: Relay, topic: str, rows: int) -> float:
    """Return the mean seconds for 1,000 rows, over batches that each begin with an outbox of `rows` rows."""
    seconds, sent = 0.0, 0
    for _ in range(BATCHES):
        await _fill_outbox(database, topic, rows)
        began = perf_counter()
        sent += await relay.relay_once()
        seconds += perf_counter() - began
    return seconds / sent * 1000


async def _fill_outbox(database: Database, topic: str, rows: int) -> None:
    async with database.transaction() as tx:
        existing = await (await tx.execute("SELECT count(*) FROM outbox")).fetchone()
        missing = rows - (existing[0] if existing else 0)
        await tx.execute(_FILL_OUTBOX, {"topic": topic, "at": datetime.now(UTC).isoformat(), "rows": missing})


@asynccontextmanager
async def _relay(servers: Servers) -> AsyncIterator[tuple[Database, Relay]]:
    async with fresh_database(servers, "intake") as database:
        relay = Relay("intake", database, servers.kafka)
        try:
            yield database, relay
        finally:
            await relay.close()


async def ledger_places(servers: Servers) -> list[Figure]:
    """Compare the time for the places of 1,000 receipts in a ledger of 100,000 receipts and in one of 1,000.

    Each ledger grows by 1,000 receipts in every round.
    """
    async with AsyncExitStack() as stack:
        long = await stack.enter_async_context(fresh_database(servers, "routing"))
        short = await stack.enter_async_context(fresh_database(servers, "routing"))
        for database, size in ((long, LONG_LEDGER), (short, SHORT_LEDGER)):
            for _ in range(size // BATCH_SIZE):
                await _sequence_a_batch(database)
        took = await in_turns(lambda: _sequence_a_batch(long), lambda: _sequence_a_batch(short))
    name = f"{BATCH_SIZE:,} receipts after {LONG_LEDGER:,} / after {SHORT_LEDGER:,}"
    return [Figure(name, *took, "ms", 1.3, "at most")]


async def _sequence_a_batch(database: Database) -> float:
    """Insert receipts, and return the milliseconds in which the sequencer gave them their places."""
    async with database.transaction() as tx:
        await tx.execute(_ADD_RECEIPTS, {"receipts": BATCH_SIZE})
    began = perf_counter()
    if await sequence(database) != BATCH_SIZE:
        raise RuntimeError("not all receipts got a place")
    return (perf_counter() - began) * 1e3
