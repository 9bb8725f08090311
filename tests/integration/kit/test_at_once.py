"""Batches that one statement does: at once where nothing is known, in a transaction where something is."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from shared.events.topics import CASES
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Batch, Subscription
from tests.integration.kit.effects import count, effects, failing_on, ids, record
from tests.integration.kit.test_batches import letters

_COUNT = """
    WITH heard AS (
        INSERT INTO inbox (source, event_id) SELECT * FROM unnest(%(sources)s::text[], %(ids)s::uuid[])
    )
    INSERT INTO effects (event_id) SELECT * FROM unnest(%(ids)s::uuid[])
"""

AtOnce = Callable[[Batch[Any], Transaction], Any]


async def count_at_once(batch: Batch[Any], connection: Transaction) -> bool:
    """Leave one row for each message, and note them, by one statement."""
    heard = [message.identity for message in batch]
    given = {"sources": [source for source, _ in heard], "ids": [event_id for _, event_id in heard]}
    await connection.execute(_COUNT, given)
    return True


class Handler:
    """Counts, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[list[UUID]] = []

    async def __call__(self, batch: Batch[Any], tx: Transaction) -> None:
        self.given.append([message.envelope.id for message in batch])
        await count(batch, tx)


def consumer(database: Database, at_once: AtOnce, handler: Any) -> Consumer:
    """Make a consumer that tries the one before the other."""
    made = Consumer("kit", Subscription("kit", CASES, handler, fast_path=at_once), database)
    made.backoff = ExponentialBackoff(0.001, 0.001)
    return made


async def test_what_can_be_done_at_once_is_and_has_no_second_effect(kit: Database) -> None:
    handler, records = Handler(), [record(n) for n in range(10)]
    await consumer(kit, count_at_once, handler)([*records, records[0]])
    assert await effects(kit) == ids(records)
    assert handler.given == []

    await consumer(kit, count_at_once, handler)(records)
    assert await effects(kit) == ids(records)
    assert handler.given == []


async def test_where_a_part_is_known_the_handler_gets_the_rest(kit: Database) -> None:
    handler, records = Handler(), [record(n) for n in range(10)]
    await consumer(kit, count_at_once, handler)(records[:4])
    await consumer(kit, count_at_once, handler)(records)
    assert await effects(kit) == ids(records)
    assert handler.given == [ids(records[4:])]


async def test_what_cannot_be_done_at_once_is_left_to_the_handler(kit: Database) -> None:
    async def refuse(_batch: Batch[Any], _connection: Transaction) -> bool:
        return False

    handler, records = Handler(), [record(n) for n in range(3)]
    await consumer(kit, refuse, handler)(records)
    assert await effects(kit) == ids(records)
    assert handler.given == [ids(records)]


async def test_two_that_do_the_same_batch_at_once_do_it_once(kit: Database) -> None:
    both_are_there = asyncio.Barrier(2)

    async def wait_and_count(batch: Batch[Any], connection: Transaction) -> bool:
        await both_are_there.wait()
        return await count_at_once(batch, connection)

    handler, records = Handler(), [record(n) for n in range(10)]
    await asyncio.gather(*(consumer(kit, wait_and_count, handler)(records) for _ in range(2)))
    assert await effects(kit) == ids(records)
    assert handler.given == []


@pytest.mark.parametrize("place", [0, 5])
async def test_poison_is_found_and_set_aside_and_the_others_go_through(kit: Database, place: int) -> None:
    records = [record(n) for n in range(8)]
    poison = ids(records)[place]

    async def fail_on_poison(batch: Batch[Any], connection: Transaction) -> bool:
        if any(message.envelope.id == poison for message in batch):
            raise ArithmeticError
        return await count_at_once(batch, connection)

    await consumer(kit, fail_on_poison, failing_on(poison))(records)
    assert sorted(await effects(kit)) == sorted(set(ids(records)) - {poison})
    assert await letters(kit) == [(place, "ArithmeticError", 3)]
