"""Dead letters worked on again, on real PostgreSQL: once, in one transaction with their effect, and never lost."""

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


def redelivery(database: Database, handler: Any = count) -> DeadLetterQueue:
    """Make the dead letters' way back into a service with one consumer."""
    return DeadLetterQueue(database, [Subscription("kit", CASES, handler)])


async def lose(database: Database, *records: ConsumerRecord[bytes, bytes]) -> None:
    """Have records set aside by a consumer that fails on each of them."""
    consumer = Consumer("kit", Subscription("kit", CASES, failing_on(*ids(records))), database)
    consumer.backoff = ExponentialBackoff(0.001, 0.001)
    await consumer(records)


async def test_a_letter_takes_effect_once_however_often_it_is_worked_on(kit: Database) -> None:
    lost = record(1)
    await lose(kit, lost)
    first = await redelivery(kit).redrive(1, "Ada")
    again = await redelivery(kit).redrive(1, "Bob")
    await Consumer("kit", Subscription("kit", CASES, count), kit)([lost])
    assert await effects(kit) == ids([lost])
    assert (first.outcome, first.settled_by, first.reason, first.tries) == (
        "done",
        "Ada",
        "ArithmeticError",
        MAX_ATTEMPTS,
    )
    assert again == first
    assert await redelivery(kit).list_letters(0, 10) == []


async def test_two_operators_at_once_do_it_once(kit: Database) -> None:
    lost = record(1)
    await lose(kit, lost)
    await asyncio.gather(*(redelivery(kit).redrive(1, f"operator {n}") for n in range(8)))
    assert await effects(kit) == ids([lost])


async def test_what_was_heard_in_another_way_is_known(kit: Database) -> None:
    lost = record(1)
    await lose(kit, lost)
    await Consumer("kit", Subscription("kit", CASES, count), kit)([lost])
    assert (await redelivery(kit).redrive(1, "Ada")).outcome == "known"
    assert await effects(kit) == ids([lost])


async def test_one_that_fails_again_stays_and_leaves_nothing(kit: Database) -> None:
    lost = record(1)
    await lose(kit, lost)
    with pytest.raises(RedriveFailedError, match="ArithmeticError"):
        await redelivery(kit, failing_on(*ids([lost]))).redrive(1, "Ada")
    [letter] = await redelivery(kit).list_letters(0, 10)
    assert (letter.tries, letter.settled_at) == (MAX_ATTEMPTS + 1, None)
    assert await effects(kit) == []
    assert (await redelivery(kit).redrive(1, "Ada")).outcome == "done"


async def test_a_broken_value_is_repaired_and_both_are_kept(kit: Database) -> None:
    sound = record(1)
    broken = record(1, b'{"case_id":', **{name: said.decode() for name, said in sound.headers})
    await lose(kit, broken)
    with pytest.raises(RedriveFailedError, match="value"):
        await redelivery(kit).redrive(1, "Ada")
    letter = await redelivery(kit).redrive(1, "Ada", sound.value)
    assert (letter.outcome, letter.repaired) == ("done", sound.value)
    assert letter.message() == (broken.key, b'{"case_id":', list(sound.headers))
    assert await effects(kit) == ids([sound])


async def test_nobody_reads_it_here_so_it_can_only_be_dismissed(kit: Database) -> None:
    async with kit.transaction() as tx:
        await insert_dead_letters(tx, "kit", [DeadLetter(record(1), "MessageSizeTooLarge", "relay")])
    with pytest.raises(RedriveFailedError, match="relay"):
        await redelivery(kit).redrive(1, "Ada")
    letter = await redelivery(kit).dismiss(1, "Ada")
    assert (letter.outcome, letter.tries) == ("dismissed", 1)
    assert (await redelivery(kit).redrive(1, "Bob")).outcome == "dismissed"
    assert await effects(kit) == []


async def test_letters_come_in_the_order_in_which_they_were_set_aside(kit: Database) -> None:
    await lose(kit, *(record(n) for n in range(5)))
    ways = redelivery(kit)
    await ways.dismiss(2, "Ada")
    assert [letter.number for letter in await ways.list_letters(0, 10)] == [1, 3, 4, 5]
    assert [letter.number for letter in await ways.list_letters(1, 2)] == [3, 4]
    assert [letter.number for letter in await ways.list_letters(0, 10, settled=True)] == [1, 2, 3, 4, 5]
    assert [await ways.count_open(most) for most in (10, 2)] == [4, 2]
    with pytest.raises(UnknownDeadLetterError):
        await ways.dismiss(6, "Ada")


def operator(database: Database, key: str = KEY) -> AsyncClient:
    """Open the routes as an operator."""
    app = Starlette(routes=dead_letter_routes(redelivery(database), KEY))
    return AsyncClient(transport=ASGITransport(app), base_url="http://kit", headers={"Authorization": f"Bearer {key}"})


async def test_an_operator_lists_reads_and_redelivers(kit: Database) -> None:
    lost = record(7)
    await lose(kit, lost)
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


async def test_what_is_not_text_is_shown_all_the_same(kit: Database) -> None:
    await lose(kit, record(1, b"\xff\x00"))
    async with operator(kit) as client:
        assert (await client.get("/dead-letters/1")).json()["value"] == "data:;base64,/wA="


async def test_many_are_given_page_by_page(kit: Database) -> None:
    async with kit.transaction() as tx:
        await insert_dead_letters(
            tx, "kit", [DeadLetter(record(n), "ArithmeticError", "kit") for n in range(PAGE_SIZE + 1)]
        )
    async with operator(kit) as client:
        first = (await client.get("/dead-letters")).json()
        rest = (await client.get("/dead-letters", params={"after": first["letters"][-1]["number"]})).json()
    assert (len(first["letters"]), first["more"], len(rest["letters"]), rest["more"]) == (PAGE_SIZE, True, 1, False)


async def test_what_cannot_be_done_says_why(kit: Database) -> None:
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
    [letter] = await redelivery(kit).list_letters(0, 10)
    assert letter.settled_at is None
