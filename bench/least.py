"""How much of routing's budget is taken before routing begins: the bare loop, with what sealed data ask of any router.

Of each case it reads the report, gets the person's key, opens three groups, makes the digest of a receipt, and derives
the ids of a referral and four events. It decides nothing, says nothing, and writes what the bare loop writes.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha1
from typing import Any
from uuid import UUID

import orjson

from bench.cases import MASTER_KEY, make_cases, publish
from bench.figures import Figure, in_turns
from bench.hand_rows import header
from bench.reading import Work, by_hand
from bench.routing import EVENTS, bare, prepared, routing_database, write_bare
from bench.servers import Servers, make_topic
from services.routing.use_cases.person_keys import DIGEST_KEY_INFO
from shared.events.fields import FieldGroup
from shared.kit.database.database import Database
from shared.kit.messaging.messages import Record
from shared.kit.vault.vault import Person, Vault

TOPIC = "bench.least"
OPENED = (FieldGroup.ADDRESS, FieldGroup.CONTACT, FieldGroup.NARRATIVE)
EVENTS_OF_A_CASE = (
    b"routing.referrals.v1|referral.requested.v1",
    b"agency.hpd.inbox.v1|referral.requested.v1",
    b"routing.referrals.v1|disclosure.made.v1",
    b"routing.referrals.v1|case.routed.v1",
)


async def least(servers: Servers) -> list[Figure]:
    """Measure both in turns."""
    cases = make_cases(EVENTS)
    await make_topic(servers.kafka, TOPIC)
    await publish(servers.kafka, TOPIC, cases, lambda _: False)
    template = prepared(servers, cases)

    async def with_the_least() -> float:
        async with routing_database(servers, template) as database:
            return await by_hand(servers.kafka, TOPIC, EVENTS, _least(database, Vault(MASTER_KEY)))

    async def without() -> float:
        async with routing_database(servers, template) as database:
            return await by_hand(servers.kafka, TOPIC, EVENTS, bare(database))

    rates = await in_turns(with_the_least, without)
    return [Figure("the least that sealed data ask of a router / bare", *rates, "msg/s", 0.30, "at least")]


def _least(database: Database, vault: Vault) -> Work:
    async def work(records: Sequence[Record]) -> None:
        async with database.transaction() as tx:
            reports = [orjson.loads(record.value or b"") for record in records]
            people = await vault.load(tx, [UUID(report["person_id"]) for report in reports])
            for record, report in zip(records, reports, strict=True):
                _open_and_name(record, report, people[UUID(report["person_id"])])
            await write_bare(tx, records)

    return work


def _open_and_name(record: Record, report: dict[str, Any], person: Person) -> list[str]:
    given = b",".join([Vault.open(person, group, report["sealed"][group.value]) for group in OPENED])
    hmac.digest(hmac.digest(person.secret, DIGEST_KEY_INFO, "sha256"), given, "sha256")
    cause = header(record, 1).encode()
    referral = _named(report["needs"][0]["need_id"].encode())
    return [_named(b"|".join((cause, event, referral.encode()))) for event in EVENTS_OF_A_CASE]


def _named(name: bytes) -> str:
    """Write a version 5 UUID, in the shortest way that there is."""
    digest = bytearray(sha1(name, usedforsecurity=False).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
