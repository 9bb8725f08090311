"""Routing's throughput: against the least that can be done with the same events, and against a loop written by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from bench.by_hand import Loop
from bench.cases import MASTER_KEY, Filed, make_cases, publish
from bench.figures import Figure, in_turns
from bench.reading import Work, as_a_service, by_hand
from bench.servers import Servers, admin, make_topic, opened
from deploy.local.servers import databases
from services.routing.handlers import subscriptions
from services.routing.jurisdiction import load_city
from services.routing.use_cases.context import RoutingContext
from shared.events.topics import CASES, TopicSpec
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Record, Subscription
from shared.kit.service.settings import SAMPLE_CITY
from shared.kit.vault.vault import Vault

EVENTS = 5_000
PLAIN = replace(CASES, topic="bench.plain")

_COPY = "COPY bare (partition, position, key, value) FROM STDIN"


async def throughput(servers: Servers) -> list[Figure]:
    """Measure three ways of reading the same events, in turns of two."""
    cases = make_cases(EVENTS)
    await make_topic(servers.kafka, PLAIN.topic)
    await publish(servers.kafka, PLAIN.topic, cases, lambda _: False)
    template = prepared(servers, cases)

    async def ours() -> float:
        async with routing_database(servers, template) as database:
            return await as_a_service(servers.kafka, route(PLAIN), database, EVENTS)

    async def bare_loop() -> float:
        async with routing_database(servers, template) as database:
            return await by_hand(servers.kafka, PLAIN.topic, EVENTS, bare(database))

    async def hand_written() -> float:
        async with routing_database(servers, template) as database:
            loop = Loop(database, load_city(SAMPLE_CITY), Vault(MASTER_KEY))
            return await by_hand(servers.kafka, PLAIN.topic, EVENTS, loop)

    against_bare = await in_turns(ours, bare_loop)
    against_hand = await in_turns(ours, hand_written)
    return [
        Figure("routing / bare getmany, COPY, commit", *against_bare, "msg/s", 0.30, "at least"),
        Figure("routing / loop written by hand, same rows", *against_hand, "msg/s", 0.75, "at least"),
    ]


def route(language: TopicSpec) -> Subscription:
    """Return what routing does with intake's cases, on a topic of the bench's own."""
    return replace(subscriptions(RoutingContext(load_city(SAMPLE_CITY), Vault(MASTER_KEY)))[0], spec=language)


def prepared(servers: Servers, cases: Sequence[Filed]) -> str:
    """Make a template database that holds the persons' keys, and a table for the bare loop."""
    name = databases.make_template(servers.postgres)
    with admin(servers, name) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY vault.person_keys (person_id, wrapped) FROM STDIN") as copy:
            for filed in cases:
                copy.write_row((filed.event.person_id, filed.wrapped_key))
        cursor.execute("CREATE TABLE routing.bare (partition int, position bigint, key text, value bytea)")
        cursor.execute("GRANT ALL ON routing.bare TO handoff_routing")
    return name


@asynccontextmanager
async def routing_database(servers: Servers, template: str) -> AsyncIterator[Database]:
    """Give routing a fresh database with the persons' keys in it."""
    with databases.own_database(servers.postgres, template) as made:
        async with opened(made, "routing") as database:
            yield database


def bare(database: Database) -> Work:
    """Write each message as it is, and nothing else."""

    async def work(records: Sequence[Record]) -> None:
        async with database.transaction() as tx:
            await write_bare(tx, records)

    return work


async def write_bare(tx: Transaction, records: Sequence[Record]) -> None:
    """Copy messages into the table `bare`."""
    rows = [(record.partition, record.offset, (record.key or b"").decode(), record.value) for record in records]
    async with tx.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            await copy.write_row(row)
