"""The relay: does a batch take longer when many rows wait?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter

from bench.figures import Figure, in_turns
from bench.servers import Servers, fresh_database, make_topic
from shared.kit.database.database import Database
from shared.kit.relay.relay import Relay

FEW, MANY = 1_000, 100_000
BATCHES = 8

_FILL = """
    INSERT INTO outbox (shard, topic, case_id, event_id, event_type, happened_at, classification, causation_id,
        sequence, value)
    SELECT n %% 16, %(topic)s, gen_random_uuid(), gen_random_uuid(), 'case.withdrawn.v1', %(at)s, 'internal',
        gen_random_uuid(), 1, repeat('x', 500)
    FROM generate_series(1, %(rows)s) AS n
"""


async def waiting_rows(servers: Servers) -> list[Figure]:
    """Compare the time of a batch with 100,000 rows waiting and with 1,000."""
    topic = "bench.relaying"
    await make_topic(servers.kafka, topic)
    async with _relay(servers) as (many, many_relay), _relay(servers) as (few, few_relay):

        async def with_many() -> float:
            return await _time_of_a_batch(many, many_relay, topic, MANY)

        async def with_few() -> float:
            return await _time_of_a_batch(few, few_relay, topic, FEW)

        ours, theirs = await in_turns(with_many, with_few)
    return [
        Figure("relay: a batch with 100,000 rows waiting / with 1,000", ours * 1e3, theirs * 1e3, "ms", 1.3, "at most")
    ]


async def _time_of_a_batch(database: Database, relay: Relay, topic: str, waiting: int) -> float:
    """Return the mean seconds for 1,000 rows, over some batches that each begin with so many rows waiting."""
    seconds, sent = 0.0, 0
    for _ in range(BATCHES):
        await _fill_up(database, topic, waiting)
        began = perf_counter()
        sent += await relay.relay_once()
        seconds += perf_counter() - began
    return seconds / sent * 1000


async def _fill_up(database: Database, topic: str, rows: int) -> None:
    async with database.transaction() as tx:
        there = await (await tx.execute("SELECT count(*) FROM outbox")).fetchone()
        missing = rows - (there[0] if there else 0)
        await tx.execute(_FILL, {"topic": topic, "at": datetime.now(UTC).isoformat(), "rows": missing})


@asynccontextmanager
async def _relay(servers: Servers) -> AsyncIterator[tuple[Database, Relay]]:
    async with fresh_database(servers, "intake") as database:
        relay = Relay("intake", database, servers.kafka)
        try:
            yield database, relay
        finally:
            await relay.close()
