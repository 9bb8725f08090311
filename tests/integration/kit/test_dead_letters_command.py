"""`handoff dead-letters` with one service on a real database; the other services are unavailable."""

import asyncio
import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from deploy.cli.dead_letters import dead_letters_app
from deploy.local.ports import any_free
from shared.events.topics import CASES
from shared.kit.database.database import Database
from shared.kit.dead_letters.dead_letters import DeadLetter, insert_dead_letters
from shared.kit.dead_letters.redrive import DeadLetterQueue
from shared.kit.dead_letters.routes import PAGE_SIZE, dead_letter_routes
from shared.kit.messaging.messages import Subscription
from tests.http_server import served
from tests.integration.kit.effects import count, effects, ids, record

KEY = "staff-key"


async def run(database: Database, *words: str) -> Result:
    """Run the command; only routing answers."""
    queue = DeadLetterQueue(database, [Subscription("kit", CASES, count)])
    async with served(Starlette(routes=dead_letter_routes(queue, KEY))) as url:
        away = f"http://127.0.0.1:{any_free(1)[0]}"
        environment = {f"HANDOFF_{name}_URL": away for name in ("INTAKE", "NOTIFICATIONS", "METRICS")}
        environment |= {"HANDOFF_ROUTING_URL": url, "HANDOFF_STAFF_KEY": KEY, "COLUMNS": "100", "LOGNAME": "ada"}
        return await asyncio.to_thread(CliRunner().invoke, dead_letters_app, list(words), env=environment)


async def store(database: Database, *letters: DeadLetter) -> None:
    """Store messages as dead letters."""
    async with database.transaction() as tx:
        await insert_dead_letters(tx, "kit", letters)


async def test_those_of_services_that_answer_are_listed_and_the_others_named(kit: Database) -> None:
    await store(kit, DeadLetter(record(7), "ArithmeticError", "kit", 3))
    result = await run(kit, "list")
    assert "routing 1" in result.stdout
    assert "case.withdrawn" in result.stdout
    assert "intake.cases.v1, partition 0, offset 7\n    ArithmeticError (tried 3 times)" in result.stdout
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["intake", "notifications", "metrics"]
    assert result.exit_code == 1


async def test_all_pages_are_listed_as_json(kit: Database) -> None:
    await store(kit, *(DeadLetter(record(n), "ArithmeticError", "kit") for n in range(PAGE_SIZE + 5)))
    result = await run(kit, "list", "--service", "routing", "--json")
    assert [letter["number"] for letter in json.loads(result.stdout)] == list(range(1, PAGE_SIZE + 6))
    assert result.exit_code == 0


async def test_what_the_sender_wrote_is_shown_only_when_it_is_asked_for(kit: Database) -> None:
    await store(kit, DeadLetter(record(1, b'{"words": "Jane Doe"}'), "unreadable", "kit"))
    assert "Jane Doe" not in (await run(kit, "show", "routing", "1")).stdout
    assert "Jane Doe" in (await run(kit, "show", "routing", "1", "--content")).stdout


async def test_all_are_redelivered_and_what_fails_again_stays(kit: Database) -> None:
    sound = [record(1), record(3)]
    await store(kit, *(DeadLetter(each, "ArithmeticError", "kit") for each in (sound[0], record(2, b"{"), sound[1])))
    result = await run(kit, "redeliver", "routing", "--all")
    assert result.stdout == "routing 1: It has taken effect.\nrouting 3: It has taken effect.\n"
    assert result.stderr.startswith("routing 2: It failed again: ")
    assert result.exit_code == 1
    assert await effects(kit) == ids(sound)
    left = await run(kit, "list", "--service", "routing", "--json")
    assert [letter["number"] for letter in json.loads(left.stdout)] == [2]


async def test_a_repaired_value_is_read_from_a_file(kit: Database, tmp_path: Path) -> None:
    sound = record(1)
    broken = record(1, b"{", **{name: said.decode() for name, said in sound.headers})
    await store(kit, DeadLetter(broken, "unreadable", "kit"))
    file = tmp_path / "repaired.json"
    file.write_bytes(sound.value or b"")
    result = await run(kit, "redeliver", "routing", "1", "--value", str(file))
    assert (result.stdout, result.exit_code) == ("routing 1: It has taken effect.\n", 0)
    assert await effects(kit) == ids([sound])
    settled = await run(kit, "list", "--service", "routing", "--settled")
    assert "done by ada" in settled.stdout


async def test_what_is_dismissed_is_kept_with_who_decided_it(kit: Database) -> None:
    await store(kit, DeadLetter(record(1), "ArithmeticError", "kit"))
    assert (await run(kit, "dismiss", "routing", "1", "--by", "Bob")).stdout == "routing 1: It is dismissed.\n"
    assert "dismissed by Bob" in (await run(kit, "list", "--service", "routing", "--settled")).stdout
    assert (await run(kit, "list", "--service", "routing")).stdout == "Nothing is set aside.\n"
    assert await effects(kit) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("redeliver", "routing"), "Give the numbers, or --all"),
        (("redeliver", "routing", "1", "--all"), "Give the numbers, or --all"),
        (("redeliver", "routing", "1", "2", "--value", __file__), "is for one message"),
        (("redeliver", "routing", "1", "--value", "/nowhere"), "cannot be read"),
        (("redeliver", "router", "1"), "Unknown service router"),
        (("redeliver", "routing", "5"), "There is no dead letter 5"),
        (("redeliver", "metrics", "--all"), "does not answer"),
        (("show", "routing", "5"), "There is no dead letter 5"),
    ],
)
async def test_what_cannot_be_done_says_why(kit: Database, words: tuple[str, ...], why: str) -> None:
    result = await run(kit, *words)
    assert why in result.stderr
    assert result.exit_code == 1
