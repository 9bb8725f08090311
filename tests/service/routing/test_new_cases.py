"""New cases are dealt with at once, by one statement: to the same end as in a transaction, however they race."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.routing.handlers import subscriptions
from shared.events.event import Event
from shared.events.topics import CASES
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Record, Subscription
from shared.kit.vault.consents import LockedConsents
from shared.kit.vault.vault import Vault
from tests import builders
from tests.builders import consent
from tests.service.routing.harness import RoutingHarness, record
from tests.service.routing.test_consents import FOREVER, granted
from tests.unit.routing.fixtures import CONTACT

TABLES = ("inbox", "cases", "referrals", "referral_changes", "triage", "receipts", "consent_uses")
TOO = ("refused_disclosures", "outbox", "outbox_sequences", "outbox_withheld", "dead_letters")


def records(*events: Event) -> list[Record]:
    """What intake's relay sends."""
    return [record(CASES.topic, CASES.source, event, uuid4()) for event in events]


async def deliver(harness: RoutingHarness, given: Sequence[Record], **changed: Any) -> None:
    """Hear these records, by a route that may be changed."""
    await Consumer("routing", replace(subscriptions(harness.context)[0], **changed), harness.database)(given)


def kept(harness: RoutingHarness) -> dict[str, list[Any]]:
    """All rows, but for what the database itself adds to them, in an order of their own."""
    query = "SELECT (to_jsonb(t) - 'id' - 'created_at' - 'recorded_at')::text AS row FROM {} AS t ORDER BY row"
    return {table: [row[0] for row in harness.rows(query.format(table))] for table in (*TABLES, *TOO)}


def empty(harness: RoutingHarness) -> None:
    """Forget everything."""
    harness.execute("TRUNCATE " + ", ".join((*TABLES, *TOO)))


class Handler:
    """Routing's own handler, which remembers how many messages it was given."""

    def __init__(self, route: Subscription) -> None:
        self.given: list[int] = []
        self._handler = route.handler

    async def __call__(self, batch: Batch[Any], tx: Transaction) -> None:
        self.given.append(len(batch))
        await self._handler(batch, tx)


async def test_at_once_and_in_a_transaction_the_same_is_kept_and_said(harness: RoutingHarness) -> None:
    given = records(
        harness.file("housing"),
        harness.file("housing", "health", number=2),
        harness.file("noise", "loneliness", number=3, service_code="loud"),
        harness.file("safety", number=4, service_code="violence"),
        harness.file("health", number=5, service_code="drugs"),
        builders.report("housing", number=6),
    )
    handler = Handler(subscriptions(harness.context)[0])
    await deliver(harness, given, handler=handler)
    by_fast_path = kept(harness)
    assert handler.given == []
    assert len(by_fast_path["inbox"]) == len(by_fast_path["cases"]) == 6
    assert all(by_fast_path[table] for table in ("referrals", "triage", "receipts", "refused_disclosures", "outbox"))

    empty(harness)
    await deliver(harness, given, fast_path=None)
    assert kept(harness) == by_fast_path


async def test_a_case_whose_person_has_consented_is_dealt_with_in_a_transaction(harness: RoutingHarness) -> None:
    filed, given = harness.file("housing"), harness.consent(consent("homes", groups=[CONTACT], ends_at=FOREVER))
    handler = Handler(subscriptions(harness.context)[0])
    await deliver(harness, records(filed, harness.file("housing", number=2)), handler=handler)
    assert handler.given == [2]
    await deliver(harness, records(granted(given)), handler=handler)
    assert handler.given == [2, 1]


@pytest.mark.parametrize("again", [False, True])
async def test_a_case_that_is_known_is_opened_once(harness: RoutingHarness, *, again: bool) -> None:
    """Whether the same message comes again or another about the same case, with another that is new."""
    filed, other = harness.file("housing"), harness.file("housing", number=2)
    first = records(filed)
    await deliver(harness, first)
    before = kept(harness)
    await deliver(harness, [*(first if again else records(filed)), *records(other)])
    after = kept(harness)
    assert len(after["cases"]) == 2
    assert [row for row in after["receipts"] if str(filed.case_id) in row] == before["receipts"]
    assert [row for row in after["outbox"] if str(filed.case_id) in row] == before["outbox"]
    assert not after["dead_letters"]


async def test_a_case_that_two_open_at_the_same_moment_is_opened_once(harness: RoutingHarness) -> None:
    both_have_looked, first_two = asyncio.Barrier(2), iter(range(2))

    async def hold(
        tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        held = await harness.clock.lock_consents(tx, vault, persons, cases)
        if next(first_two, None) is not None:
            await both_have_looked.wait()
        return held

    held_up = replace(harness, context=replace(harness.context, consent_lock=hold))
    given = records(harness.file("housing"), harness.file("health", number=2))
    await asyncio.gather(deliver(held_up, given), deliver(held_up, given))
    found = kept(harness)
    assert len(found["cases"]) == len(found["receipts"]) == 2
    assert not found["dead_letters"]

    empty(harness)
    await deliver(harness, given, fast_path=None)
    assert kept(harness) == found
