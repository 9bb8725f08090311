"""No receipt, no disclosure: what happens when receipts cannot be written, on a real database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from services.routing.handlers import subscriptions
from shared.events.topics import CASES
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Transaction, UnavailableError
from shared.kit.messaging.messages import Batch, Record, Subscription
from tests.service.routing.harness import RoutingHarness, record
from tests.service.routing.receipts import insert_receipts, receipt

pytestmark = pytest.mark.servers

HINDRANCES = {
    "denied": ("REVOKE INSERT ON receipts FROM handoff_routing", "GRANT INSERT ON receipts TO handoff_routing"),
    "missing": ("ALTER TABLE receipts RENAME TO lost", "ALTER TABLE lost RENAME TO receipts"),
    "read-only": (
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'closed'; END $$;
        CREATE TRIGGER closed BEFORE INSERT ON receipts EXECUTE FUNCTION refuse()
        """,
        "DROP TRIGGER closed ON receipts",
    ),
}


@contextmanager
def hindered(harness: RoutingHarness, how: str) -> Iterator[None]:
    """Let no receipts be written for the length of a block."""
    harness.execute(HINDRANCES[how][0])
    try:
        yield
    finally:
        harness.execute(HINDRANCES[how][1])


def disclosing(harness: RoutingHarness) -> Consumer:
    """Routing's consumer of cases, with one more receipt for each of them in the same transaction."""
    inner = subscriptions(harness.context)[0].handler

    async def handler(batch: Batch[Any], tx: Transaction) -> None:
        await inner(batch, tx)
        await insert_receipts(tx, [receipt(message.record.offset) for message in batch])

    return quick(Consumer("routing", Subscription("routing", CASES, handler), harness.database))


def quick(made: Consumer) -> Consumer:
    """Let a consumer take no long pauses."""
    made.backoff = ExponentialBackoff(0.001, 0.001)
    return made


def filed(harness: RoutingHarness, count: int) -> Sequence[Record]:
    """Messages of cases that were filed."""
    cases = [harness.file("housing", number=number) for number in range(count)]
    made = [record(CASES.topic, CASES.source, case, uuid4()) for case in cases]
    return [replace(each, offset=number) for number, each in enumerate(made)]


@pytest.mark.parametrize("how", HINDRANCES)
async def test_without_receipts_nothing_is_disclosed_and_afterwards_everything_is(
    harness: RoutingHarness, how: str
) -> None:
    consumer, cases = (
        quick(Consumer("routing", subscriptions(harness.context)[0], harness.database)),
        filed(harness, 30),
    )
    before = harness.snapshot()
    with hindered(harness, how):
        for _ in range(5):
            with pytest.raises(UnavailableError):
                await consumer(cases)
        assert "receipts cannot be written" in str(consumer.unavailable)
    assert harness.snapshot() == before, "nothing was said, kept or set aside"
    await consumer(cases)
    assert not consumer.unavailable
    assert len(harness.outbox("agency.homes.inbox.v1")) == 30
    assert harness.rows("SELECT count(*) FROM receipts") == [(30,)]
    assert harness.rows("SELECT count(*) FROM dead_letters") == [(0,)]
    await consumer(cases)
    assert harness.rows("SELECT count(*) FROM receipts") == [(30,)]


async def test_a_receipt_that_is_wrong_by_itself_holds_up_no_other(harness: RoutingHarness) -> None:
    async with harness.database.transaction() as tx:
        await insert_receipts(tx, [receipt(7)])
    consumer, cases = disclosing(harness), filed(harness, 10)
    await consumer(cases)
    assert harness.rows("SELECT position, reason FROM dead_letters") == [(7, "UniqueViolation")]
    assert len(harness.outbox("agency.homes.inbox.v1")) == 9


async def test_a_database_that_is_away_is_not_taken_for_refused_receipts(harness: RoutingHarness) -> None:
    async def cut() -> None:
        async with harness.database.transaction() as tx:
            with psycopg.connect(harness.own.admin_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (tx.info.backend_pid,))
            await insert_receipts(tx, [receipt()])

    with pytest.raises(psycopg.OperationalError):
        await cut()


async def test_routing_adds_receipts_and_takes_none_back(harness: RoutingHarness) -> None:
    async with harness.database.transaction() as tx:
        await insert_receipts(tx, [receipt()])
    for forbidden in (
        "UPDATE receipts SET agency = 'police'",
        "UPDATE receipts SET digest = '\\x00', place = 5",
        "DELETE FROM receipts",
        "TRUNCATE receipts",
        "UPDATE ledger_nodes SET hash = '\\x00'",
        "DELETE FROM ledger_nodes",
        "UPDATE checkpoints SET note = ''",
        "DELETE FROM checkpoints",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with harness.database.transaction() as tx:
                await tx.execute(forbidden)
    async with harness.database.transaction() as tx:
        await tx.execute("UPDATE receipts SET place = 0")
