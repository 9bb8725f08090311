"""`handoff person` exports what all services hold, or names the service that is missing; it erases once confirmed."""

import asyncio
import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from deploy.cli.persons import person_app
from services.intake.app import http_routes
from shared.kit.kafka.access import KafkaAccess
from tests.http_server import served
from tests.service.intake.harness import STAFF, IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers


async def held(request: Request) -> Response:
    """What another service answers."""
    if request.headers["authorization"] != f"Bearer {STAFF}":
        return JSONResponse({"error": "show the key"}, 401)
    return JSONResponse({"case_id": request.path_params["case"], "held": {"rows": 1}})


async def run(harness: IntakeHarness, *words: str, metrics: str | None = None, **more: str) -> Result:
    """Run the command against our intake and others that hold one row each."""
    others = Starlette(routes=[Route("/cases/{case}/held", held)])
    async with served(Starlette(routes=http_routes(harness.context))) as intake, served(others) as other:
        addresses = {"INTAKE": intake, "ROUTING": other, "NOTIFICATIONS": other, "METRICS": metrics or other}
        environment = {f"HANDOFF_{name}_URL": url for name, url in addresses.items()} | {"HANDOFF_STAFF_KEY": STAFF}
        given = more.pop("typed", None)
        return await asyncio.to_thread(CliRunner().invoke, person_app, list(words), env=environment | more, input=given)


async def filed(harness: IntakeHarness) -> str:
    response = await harness.file(form(description="Cold", first_name="Ana"))
    return str(response.json()[0]["service_request_id"])


async def test_an_export_holds_what_every_service_holds(harness: IntakeHarness, tmp_path: Path) -> None:
    number = await filed(harness)
    file = tmp_path / "ana.json"

    result = await run(harness, "export", number, "--out", str(file))

    assert result.exit_code == 0, result.output
    told = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(told["services"]) == {"intake", "routing", "notifications", "metrics"}
    assert told["services"]["intake"]["person"]["identity"] == {"first_name": "Ana"}
    assert told["services"]["metrics"] == {"case_id": told["case_id"], "held": {"rows": 1}}
    assert told["missing"] == {}


async def test_an_export_without_one_service_is_no_export_unless_it_is_asked_for(
    harness: IntakeHarness, tmp_path: Path
) -> None:
    number = await filed(harness)
    file = tmp_path / "ana.json"
    away = "http://127.0.0.1:9"

    refused = await run(harness, "export", number, "--out", str(file), metrics=away)
    assert not file.exists()
    given = await run(harness, "export", number, "--out", str(file), "--partial", metrics=away)

    assert refused.exit_code == given.exit_code == 1
    assert "metrics does not answer" in refused.stderr
    assert list(json.loads(file.read_text())["missing"]) == ["metrics"]


async def test_the_command_says_that_a_case_is_unknown(harness: IntakeHarness) -> None:
    result = await run(harness, "export", "26-00000000")

    assert result.exit_code == 1
    assert "no case has this id or number" in result.stderr


async def test_a_person_is_erased_only_after_a_confirmation(harness: IntakeHarness) -> None:
    number = await filed(harness)

    result = await run(harness, "erase", number, typed="yes\n")

    assert result.exit_code == 1
    assert "Nothing was erased." in result.stderr
    assert harness.count()["vault.person_keys"] == 1


async def test_an_erased_person_is_gone_and_the_command_says_what_follows(
    harness: IntakeHarness, kafka: KafkaAccess
) -> None:
    number = await filed(harness)

    result = await run(harness, "erase", number, typed=f"{number}\n\n", **kafka.environment())
    again = await run(harness, "erase", number, "--yes", **kafka.environment())

    assert result.exit_code == again.exit_code == 0, result.output + again.output
    assert "is erased" in result.stdout
    assert "had been erased before" in again.stdout
    assert "Agencies that are told: none." in result.stdout
    assert harness.count()["vault.person_keys"] == 0
