"""Routing's throughput: against a bare loop, a loop by hand, the cost of encrypted data, and without telemetry."""

import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha1
from typing import Any
from uuid import UUID

import orjson

from bench.cases import MASTER_KEY, BenchCase, make_cases, publish, sample_city
from bench.consumers import BatchWork, consume_as_a_service, consume_plainly
from bench.figures import Figure, in_turns
from bench.hand_written_router import HandWrittenRouter, header
from bench.processes import script
from bench.servers import Servers, admin, make_topic, opened
from deploy.local.servers import databases
from services.routing.handlers import subscriptions
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.person_keys import DIGEST_KEY_INFO
from shared.events.fields import FieldGroup
from shared.events.topics import CASES, TopicSpec
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Record, Subscription
from shared.kit.observability.traces import export_to_metrics_service, start_traces
from shared.kit.vault.vault import Person, Vault

EVENTS = 5_000
PLAIN = replace(CASES, topic="bench.plain")
TRACED = replace(CASES, topic="bench.traced")
UNTRACED = replace(CASES, topic="bench.untraced")
ENCRYPTED_TOPIC = "bench.encrypted"

ONE_IN = 10
"""At a thousand cases per second intake records a hundred traces by default: one in ten."""

OPENED_GROUPS = (FieldGroup.ADDRESS, FieldGroup.CONTACT, FieldGroup.NARRATIVE)
EVENTS_OF_A_CASE = (
    b"routing.referrals.v1|referral.requested.v1",
    b"agency.hpd.inbox.v1|referral.requested.v1",
    b"routing.referrals.v1|disclosure.made.v1",
    b"routing.referrals.v1|case.routed.v1",
)

_COPY = "COPY bare (partition, position, key, value) FROM STDIN"


async def throughput(servers: Servers) -> list[Figure]:
    """Compare routing with a bare loop, and with a loop written by hand that writes the same rows."""
    template = await _prepare(servers, PLAIN.topic)

    async def ours() -> float:
        async with _routing_database(servers, template) as database:
            return await consume_as_a_service(servers.kafka, _subscription(PLAIN), database, EVENTS)

    async def bare_loop() -> float:
        async with _routing_database(servers, template) as database:
            return await consume_plainly(servers.kafka, PLAIN.topic, EVENTS, _bare(database))

    async def hand_written() -> float:
        async with _routing_database(servers, template) as database:
            router = HandWrittenRouter(database, sample_city(), Vault(MASTER_KEY))
            return await consume_plainly(servers.kafka, PLAIN.topic, EVENTS, router)

    against_bare = await in_turns(ours, bare_loop)
    against_hand = await in_turns(ours, hand_written)
    return [
        Figure("routing / bare getmany, COPY, commit", *against_bare, "msg/s", 0.30, "at least"),
        Figure("routing / loop written by hand, same rows", *against_hand, "msg/s", 0.75, "at least"),
    ]


async def encrypted_data(servers: Servers) -> list[Figure]:
    """Compare a bare loop with one that also does what encrypted data require of any router.

    That is, for each case: parse the report, read the person's key, open three groups, compute the digest of a receipt,
    and derive the ids of a referral and four events. It decides nothing, and writes what the bare loop writes.
    """
    template = await _prepare(servers, ENCRYPTED_TOPIC)

    async def with_encryption() -> float:
        async with _routing_database(servers, template) as database:
            work = _bare_with_encryption(database, Vault(MASTER_KEY))
            return await consume_plainly(servers.kafka, ENCRYPTED_TOPIC, EVENTS, work)

    async def without() -> float:
        async with _routing_database(servers, template) as database:
            return await consume_plainly(servers.kafka, ENCRYPTED_TOPIC, EVENTS, _bare(database))

    rates = await in_turns(with_encryption, without)
    return [Figure("the least that sealed data ask of a router / bare", *rates, "msg/s", 0.30, "at least")]


async def telemetry(servers: Servers) -> list[Figure]:
    """Compare routing that sends its spans to a collector in another process with routing without a recorded trace."""
    cases = make_cases(EVENTS, seed=11)
    await make_topic(servers.kafka, TRACED.topic)
    await publish(servers.kafka, TRACED.topic, cases, lambda number: number % ONE_IN == 0)
    await make_topic(servers.kafka, UNTRACED.topic)
    await publish(servers.kafka, UNTRACED.topic, cases, lambda _: False)
    template = _make_template(servers, cases)

    async def rate(spec: TopicSpec) -> float:
        async with _routing_database(servers, template) as database:
            return await consume_as_a_service(servers.kafka, _subscription(spec), database, EVENTS)

    with script("bench.span_sink") as port:
        traces = start_traces("bench", export_to_metrics_service(f"http://127.0.0.1:{port}", "bench"), 100.0)
        on, off = await in_turns(lambda: rate(TRACED), lambda: rate(UNTRACED))
        traces.shutdown()
    return [Figure("routing with telemetry on / off", on, off, "msg/s", 0.80, "at least")]


async def _prepare(servers: Servers, topic: str) -> str:
    """Publish cases on a topic, and return a template database with the keys of their persons."""
    cases = make_cases(EVENTS)
    await make_topic(servers.kafka, topic)
    await publish(servers.kafka, topic, cases, lambda _: False)
    return _make_template(servers, cases)


def _make_template(servers: Servers, cases: Sequence[BenchCase]) -> str:
    """Make a template database with the persons' keys, and a table for the bare loop."""
    name = databases.make_template(servers.postgres)
    with admin(servers, name) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY vault.person_keys (person_id, wrapped) FROM STDIN") as copy:
            for case in cases:
                copy.write_row((case.event.person_id, case.wrapped_key))
        cursor.execute("CREATE TABLE routing.bare (partition int, position bigint, key text, value bytea)")
        cursor.execute("GRANT ALL ON routing.bare TO handoff_routing")
    return name


def _subscription(spec: TopicSpec) -> Subscription:
    """Return routing's subscription to intake's cases, on another topic."""
    return replace(subscriptions(RoutingContext(sample_city(), Vault(MASTER_KEY)))[0], spec=spec)


@asynccontextmanager
async def _routing_database(servers: Servers, template: str) -> AsyncIterator[Database]:
    """Provide a fresh copy of a template, opened as routing."""
    with databases.own_database(servers.postgres, template) as own:
        async with opened(own, "routing") as database:
            yield database


def _bare(database: Database) -> BatchWork:
    """Write each message as it is, and nothing else."""

    async def work(records: Sequence[Record]) -> None:
        async with database.transaction() as tx:
            await _write_bare(tx, records)

    return work


def _bare_with_encryption(database: Database, vault: Vault) -> BatchWork:
    async def work(records: Sequence[Record]) -> None:
        async with database.transaction() as tx:
            reports = [orjson.loads(record.value or b"") for record in records]
            people = await vault.load(tx, [UUID(report["person_id"]) for report in reports])
            for record, report in zip(records, reports, strict=True):
                _open_and_derive_ids(record, report, people[UUID(report["person_id"])])
            await _write_bare(tx, records)

    return work


async def _write_bare(tx: Transaction, records: Sequence[Record]) -> None:
    rows = [(record.partition, record.offset, (record.key or b"").decode(), record.value) for record in records]
    async with tx.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            await copy.write_row(row)


def _open_and_derive_ids(record: Record, report: dict[str, Any], person: Person) -> list[str]:
    opened_groups = b",".join([Vault.open(person, group, report["sealed"][group.value]) for group in OPENED_GROUPS])
    hmac.digest(hmac.digest(person.secret, DIGEST_KEY_INFO, "sha256"), opened_groups, "sha256")
    cause = header(record, 1).encode()
    referral = _uuid5_text(report["needs"][0]["need_id"].encode())
    return [_uuid5_text(b"|".join((cause, event, referral.encode()))) for event in EVENTS_OF_A_CASE]


def _uuid5_text(name: bytes) -> str:
    """Return a version 5 UUID as text, without the cost of a UUID object."""
    digest = bytearray(sha1(name, usedforsecurity=False).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
