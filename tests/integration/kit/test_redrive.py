"""The dead-letter queue on real PostgreSQL: a redrive has one effect, in one transaction, and loses nothing."""

import asyncio
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from httpx import ASGITransport, AsyncClient, Response
from starlette.applications import Starlette

from shared.events.topics import CASES
from shared.kit.clock import ExponentialBackoff
from shared.kit.consumer.consumer import MAX_ATTEMPTS, Consumer
from shared.kit.database.database import Database
from shared.kit.dead_letters.dead_letters import DeadLetter, insert_dead_letters
from shared.kit.dead_letters.redrive import DeadLetterQueue, RedriveFailedError, UnknownDeadLetterError
from shared.kit.dead_letters.routes import MAX_BODY_BYTES, PAGE_SIZE, dead_letter_routes
from shared.kit.messaging.messages import Subscription
from tests.integration.kit.effects import count, effects, failing_on, ids, record

KEY = "staff-key"


def queue(database: Database, handler: Any = count) -> DeadLetterQueue:
    """Make the dead-letter queue of a service with one subscription."""
    return DeadLetterQueue(database, [Subscription("kit", CASES, handler)])


async def fail(database: Database, *records: ConsumerRecord[bytes, bytes]) -> None:
    """Let a consumer fail on each of these records, so that they become dead letters."""
    consumer = Consumer("kit", Subscription("kit", CASES, failing_on(*ids(records))), database)
    consumer.backoff = ExponentialBackoff(0.001, 0.001)
    await consumer(records)


async def test_a_dead_letter_takes_effect_once_however_often_it_is_redriven(kit: Database) -> None:
    lost = record(1)
    await fail(kit, lost)
    first = await queue(kit).redrive(1, "Ada")
    again = await queue(kit).redrive(1, "Bob")
    await Consumer("kit", Subscription("kit", CASES, count), kit)([lost])
    assert await effects(kit) == ids([lost])
    assert (first.outcome, first.settled_by, first.reason, first.tries) == (
        "done",
        "Ada",
        "ArithmeticError",
        MAX_ATTEMPTS,
    )
    assert again == first
    assert await queue(kit).list_letters(0, 10) == []


async def test_several_operators_at_once_redrive_it_once(kit: Database) -> None:
    lost = record(1)
    await fail(kit, lost)
    await asyncio.gather(*(queue(kit).redrive(1, f"operator {n}") for n in range(8)))
    assert await effects(kit) == ids([lost])


async def test_a_message_that_was_processed_meanwhile_is_known(kit: Database) -> None:
    lost = record(1)
    await fail(kit, lost)
    await Consumer("kit", Subscription("kit", CASES, count), kit)([lost])
    assert (await queue(kit).redrive(1, "Ada")).outcome == "known"
    assert await effects(kit) == ids([lost])


async def test_a_dead_letter_that_fails_again_stays_and_has_no_effect(kit: Database) -> None:
    lost = record(1)
    await fail(kit, lost)
    with pytest.raises(RedriveFailedError, match="ArithmeticError"):
        await queue(kit, failing_on(*ids([lost]))).redrive(1, "Ada")
    [letter] = await queue(kit).list_letters(0, 10)
    assert (letter.tries, letter.settled_at) == (MAX_ATTEMPTS + 1, None)
    assert await effects(kit) == []
    assert (await queue(kit).redrive(1, "Ada")).outcome == "done"


async def test_a_malformed_value_is_repaired_and_both_are_kept(kit: Database) -> None:
    sound = record(1)
    broken = record(1, b'{"case_id":', **{name: said.decode() for name, said in sound.headers})
    await fail(kit, broken)
    with pytest.raises(RedriveFailedError, match="value"):
        await queue(kit).redrive(1, "Ada")
    letter = await queue(kit).redrive(1, "Ada", sound.value)
    assert (letter.outcome, letter.repaired) == ("done", sound.value)
    assert letter.message() == (broken.key, b'{"case_id":', list(sound.headers))
    assert await effects(kit) == ids([sound])


async def test_a_dead_letter_without_a_subscription_can_only_be_dismissed(kit: Database) -> None:
    async with kit.transaction() as tx:
        await insert_dead_letters(tx, "kit", [DeadLetter(record(1), "MessageSizeTooLarge", "relay")])
    with pytest.raises(RedriveFailedError, match="relay"):
        await queue(kit).redrive(1, "Ada")
    letter = await queue(kit).dismiss(1, "Ada")
    assert (letter.outcome, letter.tries) == ("dismissed", 1)
    assert (await queue(kit).redrive(1, "Bob")).outcome == "dismissed"
    assert await effects(kit) == []


async def test_dead_letters_are_listed_in_order_with_settled_ones_only_on_request(kit: Database) -> None:
    await fail(kit, *(record(n) for n in range(5)))
    letters = queue(kit)
    await letters.dismiss(2, "Ada")
    assert [letter.number for letter in await letters.list_letters(0, 10)] == [1, 3, 4, 5]
    assert [letter.number for letter in await letters.list_letters(1, 2)] == [3, 4]
    assert [letter.number for letter in await letters.list_letters(0, 10, settled=True)] == [1, 2, 3, 4, 5]
    assert [await letters.count_open(most) for most in (10, 2)] == [4, 2]
    with pytest.raises(UnknownDeadLetterError):
        await letters.dismiss(6, "Ada")


def operator(database: Database, key: str = KEY) -> AsyncClient:
    """Make a client with this key."""
    app = Starlette(routes=dead_letter_routes(queue(database), KEY))
    return AsyncClient(transport=ASGITransport(app), base_url="http://kit", headers={"Authorization": f"Bearer {key}"})


async def test_an_operator_lists_reads_and_redrives(kit: Database) -> None:
    lost = record(7)
    await fail(kit, lost)
    async with operator(kit) as client:
        listed = (await client.get("/dead-letters")).json()
        shown = (await client.get("/dead-letters/1")).json()
        done = await client.post("/dead-letters/1/redeliver", json={"by": " Ada "})
        rest = (await client.get("/dead-letters", params={"settled": "true"})).json()
    [letter] = listed["letters"]
    assert (letter["type"], letter["offset"], letter["case_id"]) == (
        "case.withdrawn.v1", 7, dict(lost.headers)["ce_subject"].decode()
    )  # fmt: skip
    assert "value" not in letter
    assert shown["value"] == (lost.value or b"").decode()
    assert (done.status_code, done.json()["outcome"], done.json()["settled_by"]) == (200, "done", "Ada")
    assert [each["outcome"] for each in rest["letters"]] == ["done"]
    assert await effects(kit) == ids([lost])


async def test_a_value_that_is_not_text_is_shown_as_a_data_url(kit: Database) -> None:
    await fail(kit, record(1, b"\xff\x00"))
    async with operator(kit) as client:
        assert (await client.get("/dead-letters/1")).json()["value"] == "data:;base64,/wA="


async def test_many_dead_letters_are_listed_page_by_page(kit: Database) -> None:
    async with kit.transaction() as tx:
        await insert_dead_letters(
            tx, "kit", [DeadLetter(record(n), "ArithmeticError", "kit") for n in range(PAGE_SIZE + 1)]
        )
    async with operator(kit) as client:
        first = (await client.get("/dead-letters")).json()
        rest = (await client.get("/dead-letters", params={"after": first["letters"][-1]["number"]})).json()
    assert (len(first["letters"]), first["more"], len(rest["letters"]), rest["more"]) == (PAGE_SIZE, True, 1, False)


async def test_a_refused_request_says_why(kit: Database) -> None:
    async with kit.transaction() as tx:
        await insert_dead_letters(tx, "kit", [DeadLetter(record(1), "MessageSizeTooLarge", "relay")])
    async with operator(kit) as client:
        answers: list[Response] = [
            await client.post("/dead-letters/1/redeliver", json={"by": "Ada"}),
            await client.post("/dead-letters/1/redeliver", json={"by": " "}),
            await client.post("/dead-letters/1/redeliver", content=b"x" * (MAX_BODY_BYTES + 1)),
            await client.post("/dead-letters/9/dismiss", json={"by": "Ada"}),
            await client.get("/dead-letters", params={"after": "x"}),
        ]
    async with operator(kit, "another") as stranger:
        answers += [await stranger.get("/dead-letters"), await stranger.post("/dead-letters/1/dismiss")]
    assert [answer.status_code for answer in answers] == [409, 422, 413, 404, 422, 401, 401]
    assert all(answer.json()["error"] for answer in answers)
    [letter] = await queue(kit).list_letters(0, 10)
    assert letter.settled_at is None
