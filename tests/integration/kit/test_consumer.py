"""Batches on real PostgreSQL: each message has one effect, and a failing one does not stop the others."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from aiokafka import ConsumerRecord

from shared.events.topics import AGENCY_UPDATES, CASES
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.consumer import MAX_CONSECUTIVE_FAILURES, Consumer, TooManyDeadLettersError
from shared.kit.database.database import Database, Transaction
from shared.kit.messaging.messages import Batch, Subscription
from shared.kit.messaging.raw import read_raw
from tests.integration.kit.effects import count, effects, failing_on, ids, record


def consumer(database: Database, handler: Any = count) -> Consumer:
    """Make a consumer of intake's cases."""
    made = Consumer("kit", Subscription("kit", CASES, handler), database)
    made.backoff = ExponentialBackoff(0.001, 0.001)
    return made


async def letters(database: Database) -> list[tuple[int, str, int]]:
    """List the dead letters: position, reason, attempts."""
    async with database.statement() as connection:
        rows = await connection.execute("SELECT position, reason, tries FROM dead_letters ORDER BY position")
        return await rows.fetchall()


async def test_a_message_delivered_again_has_no_second_effect(kit: Database) -> None:
    records = [record(n) for n in range(10)]
    await consumer(kit)(records)
    await consumer(kit)(records[3:])
    assert await effects(kit) == ids(records)


async def test_a_message_that_is_in_a_batch_twice_has_one_effect(kit: Database) -> None:
    one = record(1)
    await consumer(kit)([one, record(2), one])
    assert (await effects(kit)).count(ids([one])[0]) == 1


async def test_the_same_id_from_another_source_is_another_event(kit: Database) -> None:
    identity = str(uuid4())
    stolen = record(1, ce_id=identity, ce_source="/agencies/hpd")
    await consumer(kit)([stolen])
    await consumer(kit)([record(2, ce_id=identity)])
    assert await effects(kit) == [UUID(identity)]
    assert await letters(kit) == [(1, "ce_source is not the one that may write to this topic", 1)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(7, b"\xff\xfe"), "message: Invalid JSON"),
        (record(7, b"{}"), "message: Unable to extract tag"),
        (record(7, b'{"type": "case.eaten.v1"}'), "message: unknown event type"),
        (record(7, ce_specversion="0.3"), "ce_specversion is not 1.0"),
        (record(7, ce_id="one"), "a header is not of its type"),
        (record(7, ce_dataclassification="top-secret"), "ce_dataclassification is not a known label"),
        (record(7, ce_type="case.submitted.v1"), "ce_type is not the event's type"),
        (record(7, ce_subject=str(uuid4())), "ce_subject is not the event's case"),
    ],
)
async def test_a_malformed_message_becomes_a_dead_letter_and_the_others_go_through(
    kit: Database, bad: ConsumerRecord[bytes, bytes], reason: str
) -> None:
    good = [record(n) for n in range(5)]
    await consumer(kit)([*good[:2], bad, *good[2:]])
    assert await effects(kit) == ids(good)
    [(position, why, _)] = await letters(kit)
    assert position == 7
    assert why.startswith(reason)


async def test_a_subscription_that_ignores_unknown_types_gets_them_as_plain_events(kit: Database) -> None:
    case_id = str(uuid4())
    value = f'{{"type": "case.eaten.v1", "case_id": "{case_id}"}}'.encode()
    strange = record(7, value, ce_type="case.eaten.v1", ce_subject=case_id)
    nonsense = record(8, b'{"type": "case.eaten.v1"}')
    following = Consumer("kit", Subscription("kit", CASES, count, ignore_unknown_types=True), kit)
    await following([strange, strange, nonsense])
    assert await effects(kit) == ids([strange])
    assert [position for position, _, _ in await letters(kit)] == [8]


async def test_failing_messages_are_retried_and_become_dead_letters_and_the_others_go_through_in_order(
    kit: Database,
) -> None:
    records = [record(n) for n in range(33)]
    await consumer(kit, failing_on(ids(records)[7], ids(records)[20]))(records)
    assert await effects(kit) == [i for n, i in enumerate(ids(records)) if n not in {7, 20}]
    assert await letters(kit) == [(7, "ArithmeticError", 3), (20, "ArithmeticError", 3)]


async def test_a_dead_letter_is_stored_once_however_often_it_is_delivered(kit: Database) -> None:
    bad = record(4, b"nonsense")
    await consumer(kit)([bad])
    await consumer(kit)([bad])
    async with kit.statement() as connection:
        queued = await (await connection.execute("SELECT topic, raw FROM outbox")).fetchall()
    [(topic, raw)] = queued
    key, value, headers = read_raw(raw)
    assert (topic, key, value) == ("kit.dead-letters.v1", bad.key, b"nonsense")
    assert dict(headers)["dl-consumer"] == b"kit"
    assert dict(headers)["ce_source"] == b"/services/intake"


async def test_too_many_dead_letters_in_a_row_stop_the_consumer(kit: Database) -> None:
    stopped = consumer(kit)
    await stopped([record(n, b"nonsense") for n in range(MAX_CONSECUTIVE_FAILURES)])
    with pytest.raises(TooManyDeadLettersError):
        await stopped([record(99)])
    assert await effects(kit) == []
    assert "dead letters in a row" in (stopped.stopped or "")


async def test_malformed_messages_of_an_agency_never_stop_the_consumer(kit: Database) -> None:
    made = Consumer("kit", Subscription("kit", AGENCY_UPDATES, count), kit)
    await made([record(n, b"nonsense") for n in range(MAX_CONSECUTIVE_FAILURES * 2)])
    assert made.stopped is None


async def test_an_unavailable_database_fails_the_batch_and_loses_nothing(kit: Database, kit_url: str) -> None:
    async def cut(batch: Batch[Any], tx: Transaction) -> None:
        with psycopg.connect(kit_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (tx.info.backend_pid,))
        await count(batch, tx)

    records = [record(n) for n in range(3)]
    with pytest.raises(psycopg.OperationalError):
        await consumer(kit, cut)(records)
    assert await letters(kit) == []
    await consumer(kit)(records)
    assert await effects(kit) == ids(records)
