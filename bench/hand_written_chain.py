"""The chain from a POST to an agency's topic, written by hand.

`python -m bench.hand_written_chain PORT URL front|router` runs one of its two processes.

The front stores the report and adds it to its outbox, and its relay sends it. The router stores a referral and adds the
agency's message to its outbox, and its relay sends that. It encrypts, decides, counts and traces nothing.
"""

import asyncio
import os
import sys
from typing import Any

import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from shared.kit.kafka.access import KafkaAccess, read_kafka_access

CASES_TOPIC, AGENCY_TOPIC = "bench.hand.cases", "bench.hand.agency"
PAUSE_SECONDS = 0.01

TABLES = (
    "CREATE SCHEMA hand",
    "CREATE TABLE hand.cases (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)",
    "CREATE TABLE hand.front_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)",
    "CREATE TABLE hand.referrals (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)",
    "CREATE TABLE hand.router_outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)",
)

_FILE = """
    WITH kept AS (INSERT INTO hand.cases (body) VALUES (%(body)s))
    INSERT INTO hand.front_outbox (body) VALUES (%(body)s)
"""
_CLAIM_SQL = {
    "front": "DELETE FROM hand.front_outbox WHERE id IN (SELECT id FROM hand.front_outbox ORDER BY id LIMIT 100)"
    " RETURNING body",
    "router": "DELETE FROM hand.router_outbox WHERE id IN (SELECT id FROM hand.router_outbox ORDER BY id LIMIT 100)"
    " RETURNING body",
}


def front(port: int, url: str, kafka: KafkaAccess) -> None:
    """Answer POSTs, and relay the reports."""
    pool = AsyncConnectionPool(url, min_size=4, max_size=4, open=False, kwargs={"autocommit": True})
    tasks: list[asyncio.Task[None]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await pool.open()
            tasks.append(asyncio.create_task(relay("front", url, kafka, CASES_TOPIC)))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await receive())["body"]
        async with pool.connection() as connection:
            await connection.execute(_FILE, {"body": body})
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error")


async def relay(which: str, url: str, kafka: KafkaAccess, topic: str) -> None:
    """Send the outbox in order, and delete its rows once Kafka has confirmed them."""
    producer = AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True)
    await producer.start()
    async with await AsyncConnection.connect(url) as connection:
        while True:
            rows = await (await connection.execute(_CLAIM_SQL[which])).fetchall()
            await asyncio.gather(*[await producer.send(topic, body) for (body,) in rows])
            await connection.commit()
            if not rows:
                await asyncio.sleep(PAUSE_SECONDS)


async def router(url: str, kafka: KafkaAccess) -> None:
    """Store a referral for each case, and add the agency's message to the outbox."""
    consumer = AIOKafkaConsumer(
        CASES_TOPIC, **kafka.client(), group_id="hand", auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    relaying = asyncio.create_task(relay("router", url, kafka, AGENCY_TOPIC))
    async with await AsyncConnection.connect(url) as connection:
        while not relaying.done():
            batches = await consumer.getmany(timeout_ms=1000, max_records=500)
            bodies = [(record.value,) for records in batches.values() for record in records]
            if bodies:
                cursor = connection.cursor()
                await cursor.executemany("INSERT INTO hand.referrals (body) VALUES (%s)", bodies)
                await cursor.executemany("INSERT INTO hand.router_outbox (body) VALUES (%s)", bodies)
                await connection.commit()
                await consumer.commit()


if __name__ == "__main__":
    if sys.argv[3] == "front":
        front(int(sys.argv[1]), sys.argv[2], read_kafka_access(os.environ))
    else:
        asyncio.run(router(sys.argv[2], read_kafka_access(os.environ)))
