"""The time from the 201 of a report to the message in the agency's topic, at a hundred reports per second."""

import asyncio
import re
from time import perf_counter
from uuid import uuid4

from aiokafka import AIOKafkaConsumer

from bench.durable_post import form
from bench.figures import Figure, in_turns, percentile
from bench.hand_written_chain import AGENCY_TOPIC, CASES_TOPIC, TABLES
from bench.load import post, request
from bench.processes import API_KEY, background, script, service
from bench.servers import Servers, admin, create_topics, make_topic
from deploy.local.servers import databases
from shared.events.topics import inbox_topic
from shared.kit.kafka.access import KafkaAccess

REPORTS_PER_SECOND = 100
REPORTS, WARM = 500, 150
WITHIN_SECONDS = 20.0
P99_MS = 250.0

_MARK = re.compile(rb"mark-[0-9a-f]{32}")


async def to_the_agency(own: Servers) -> list[Figure]:
    """Compare p50 and p99 of Handoff and of the chain written by hand."""
    await _make_topics(own.kafka)
    waits: dict[str, list[float]] = {"ours": [], "theirs": []}
    with databases.own_database(own.postgres, own.template) as database:
        _make_tables(own, database.name)
        url, told = database.admin_url, own.kafka.environment()

        async def ours() -> float:
            with service("intake", own, database) as port, service("routing", own, database):
                target = (port, "/open311/v2/requests.json", inbox_topic("hpd"))
                return await _measure(own, target, waits["ours"])

        async def theirs() -> float:
            with (
                script("bench.hand_written_chain", url, "front", **told) as port,
                background("bench.hand_written_chain", "0", url, "router", **told),
            ):
                return await _measure(own, (port, "/", AGENCY_TOPIC), waits["theirs"])

        p50 = await in_turns(ours, theirs)
    p99 = [percentile(waits[side][REPORTS:], 0.99) for side in ("ours", "theirs")]
    return [
        Figure("201 to the agency's topic at 100/s / by hand, p50", *p50, "ms", 2.0, "at most"),
        Figure("201 to the agency's topic at 100/s / by hand, p99", p99[0], p99[1], "ms", 3.0, "at most"),
        Figure("201 to the agency's topic at 100/s, p99 / 250 ms", p99[0], P99_MS, "ms", 1.0, "at most"),
    ]


async def _make_topics(kafka: KafkaAccess) -> None:
    await create_topics(kafka)
    await make_topic(kafka, CASES_TOPIC)
    await make_topic(kafka, AGENCY_TOPIC)


def _make_tables(own: Servers, database: str) -> None:
    with admin(own, database) as connection:
        for table in TABLES:
            connection.execute(table)


async def _measure(own: Servers, target: tuple[int, str, str], waits: list[float]) -> float:
    """Measure one side alone: the processes of the other side would take CPU time from it."""
    await _p50(own, target, WARM, [])
    return await _p50(own, target, REPORTS, waits)


async def _p50(own: Servers, target: tuple[int, str, str], reports: int, waits: list[float]) -> float:
    """File at a steady rate, and return the median milliseconds from a report's answer to its arrival.

    `target` is the port, the path, and the topic of the agency; the single times are appended to `waits`.
    """
    port, path, topic = target
    arrived: dict[bytes, float] = {}
    listening = asyncio.Event()
    reader = asyncio.create_task(_listen(own.kafka, topic, arrived, listening))
    async with asyncio.timeout(WITHIN_SECONDS):
        await listening.wait()
    answered = await _file(port, path, reports)
    async with asyncio.timeout(WITHIN_SECONDS):
        while not answered.keys() <= arrived.keys():  # noqa: ASYNC110 - Kafka has no signal for this
            await asyncio.sleep(0.05)
    reader.cancel()
    took = [(arrived[mark] - moment) * 1e3 for mark, moment in answered.items()]
    waits += took
    return percentile(took, 0.5)


async def _file(port: int, path: str, reports: int) -> dict[bytes, float]:
    answered: dict[bytes, float] = {}

    async def one(mark: str) -> None:
        headers = f"Authorization: Bearer {API_KEY}\r\n"
        await post(port, request(path, form(description=f"No heat. {mark}"), headers))
        answered[mark.encode()] = perf_counter()

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(reports):
            group.create_task(one(f"mark-{uuid4().hex}"))
            await asyncio.sleep(max(0.0, began + (number + 1) / REPORTS_PER_SECOND - perf_counter()))
    return answered


async def _listen(kafka: KafkaAccess, topic: str, arrived: dict[bytes, float], listening: asyncio.Event) -> None:
    consumer = AIOKafkaConsumer(topic, **kafka.client(), auto_offset_reset="latest", enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer.seek_to_end()
        for part in consumer.assignment():
            await consumer.position(part)
        listening.set()
        async for record in consumer:
            found = _MARK.search(record.value or b"")
            if found:
                arrived[found[0]] = perf_counter()
    finally:
        await consumer.stop()
