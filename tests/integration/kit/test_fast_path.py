"""The fast path of a subscription: one statement for a batch of new messages, the handler for every other batch."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from shared.events.topics import CASES
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Batch, FastPath, Subscription
from tests.integration.kit.effects import count, effects, failing_on, ids, record
from tests.integration.kit.test_consumer import letters

_COUNT = """
    WITH recorded AS (
        INSERT INTO inbox (source, event_id) SELECT * FROM unnest(%(sources)s::text[], %(ids)s::uuid[])
    )
    INSERT INTO effects (event_id) SELECT * FROM unnest(%(ids)s::uuid[])
"""


async def count_in_one_statement(batch: Batch[Any], connection: Transaction) -> bool:
    """Insert one row for each message, and record the messages, by one statement."""
    identities = [message.identity for message in batch]
    parameters = {"sources": [source for source, _ in identities], "ids": [event_id for _, event_id in identities]}
    await connection.execute(_COUNT, parameters)
    return True


class RecordingHandler:
    """Counts messages, and keeps the ids of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[UUID]] = []

    async def __call__(self, batch: Batch[Any], tx: Transaction) -> None:
        self.batches.append([message.envelope.id for message in batch])
        await count(batch, tx)


def consumer(database: Database, fast_path: FastPath, handler: Any) -> Consumer:
    """Make a consumer that tries the fast path before the handler."""
    made = Consumer("kit", Subscription("kit", CASES, handler, fast_path=fast_path), database)
    made.backoff = ExponentialBackoff(0.001, 0.001)
    return made


async def test_new_messages_take_the_fast_path_and_repeats_have_no_second_effect(kit: Database) -> None:
    handler, records = RecordingHandler(), [record(n) for n in range(10)]
    await consumer(kit, count_in_one_statement, handler)([*records, records[0]])
    assert await effects(kit) == ids(records)
    assert handler.batches == []

    await consumer(kit, count_in_one_statement, handler)(records)
    assert await effects(kit) == ids(records)
    assert handler.batches == []


async def test_a_batch_with_repeats_goes_to_the_handler_without_them(kit: Database) -> None:
    handler, records = RecordingHandler(), [record(n) for n in range(10)]
    await consumer(kit, count_in_one_statement, handler)(records[:4])
    await consumer(kit, count_in_one_statement, handler)(records)
    assert await effects(kit) == ids(records)
    assert handler.batches == [ids(records[4:])]


async def test_a_batch_that_the_fast_path_refuses_goes_to_the_handler(kit: Database) -> None:
    async def refuse(_batch: Batch[Any], _connection: Transaction) -> bool:
        return False

    handler, records = RecordingHandler(), [record(n) for n in range(3)]
    await consumer(kit, refuse, handler)(records)
    assert await effects(kit) == ids(records)
    assert handler.batches == [ids(records)]


async def test_two_consumers_that_process_the_same_batch_at_once_have_one_effect(kit: Database) -> None:
    both_have_begun = asyncio.Barrier(2)

    async def wait_and_count(batch: Batch[Any], connection: Transaction) -> bool:
        await both_have_begun.wait()
        return await count_in_one_statement(batch, connection)

    handler, records = RecordingHandler(), [record(n) for n in range(10)]
    await asyncio.gather(*(consumer(kit, wait_and_count, handler)(records) for _ in range(2)))
    assert await effects(kit) == ids(records)
    assert handler.batches == []


@pytest.mark.parametrize("place", [0, 5])
async def test_a_failing_message_becomes_a_dead_letter_and_the_others_go_through(kit: Database, place: int) -> None:
    records = [record(n) for n in range(8)]
    poison = ids(records)[place]

    async def fail_on_poison(batch: Batch[Any], connection: Transaction) -> bool:
        if any(message.envelope.id == poison for message in batch):
            raise ArithmeticError
        return await count_in_one_statement(batch, connection)

    await consumer(kit, fail_on_poison, failing_on(poison))(records)
    assert sorted(await effects(kit)) == sorted(set(ids(records)) - {poison})
    assert await letters(kit) == [(place, "ArithmeticError", 3)]
