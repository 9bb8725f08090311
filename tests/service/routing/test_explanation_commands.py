"""`handoff agreements explain` and `try`, `handoff routing explain` and `try`, against routing as it is served."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from deploy.cli.agreements import agreements_app
from deploy.cli.routing import routing_app
from services.routing.domain.partner_access import GrantedAccess
from services.routing.http.api.explanations import explanation_routes
from services.routing.http.api.what_if import what_if_routes
from services.routing.store.emergencies import AccessReview, insert_access, save_review
from services.routing.use_cases.explain.disclosures import Explainer
from services.routing.use_cases.explain.policy_history import PolicyHistory
from services.routing.use_cases.what_if_run import WhatIfRunner
from shared.events.fields import FieldGroup
from shared.kit.service.settings import SAMPLE_CITY
from tests.builders import HOUR, NOON, case_id
from tests.http_server import served
from tests.service.routing.explanations import KEY
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.partner_client import referral_of
from tests.unit.routing.fixtures import sample_city

pytestmark = pytest.mark.servers

CITY = sample_city()
AGREEMENTS = SAMPLE_CITY / "agreements"
SINCE = ("--since", "2026-01-01")


@pytest.fixture
async def sample_harness(harness: RoutingHarness) -> RoutingHarness:
    """Put routing together for the sample city, with one case of bad housing."""
    sample_harness = replace(harness, context=replace(harness.context, city=CITY))
    service = next(each for each, protects in CITY.protection.services.items() if protects is None and _asks_hpd(each))
    await sample_harness.consume(sample_harness.file("inadequate-housing", service_code=service))
    return sample_harness


def _asks_hpd(service: str) -> bool:
    rule = CITY.rules.find(service, "inadequate-housing", None)
    return rule is not None and rule.candidates[0].startswith("hpd/")


def site(harness: RoutingHarness) -> Starlette:
    """What routing serves of it."""
    explainer = Explainer(harness.context, PolicyHistory(CITY.policy))
    routes = explanation_routes(explainer, harness.database, KEY)
    return Starlette(routes=[*routes, *what_if_routes(WhatIfRunner(CITY, SAMPLE_CITY, harness.database), KEY)])


async def run(harness: RoutingHarness, app: typer.Typer, *words: object, key: str = KEY) -> Result:
    async with served(site(harness)) as url:
        environment = {"HANDOFF_ROUTING_URL": url, "HANDOFF_STAFF_KEY": key, "COLUMNS": "200"}
        return await asyncio.to_thread(CliRunner().invoke, app, [*map(str, words)], env=environment)


def without_hpd(folder: Path) -> Path:
    """A folder of agreements that hpd is not a party to."""
    for path in AGREEMENTS.glob("*.toml"):
        text = path.read_text("utf-8")
        if '"hpd"' not in text:
            (folder / path.name).write_text(text, "utf-8")
    return folder


async def test_a_case_is_explained_in_words_and_as_json(sample_harness: RoutingHarness) -> None:
    told = await run(sample_harness, agreements_app, "explain", "SR-1")
    assert told.exit_code == 0, told.output
    assert "need is released full under" in told.stdout
    assert "health is withheld:" in told.stdout
    assert "given by event:" in told.stdout
    one = await run(sample_harness, agreements_app, "explain", case_id(), "--agency", "nypd", "--json")
    (police,) = json.loads(one.stdout)["agencies"]
    assert (police["agency"], police["receipts"]) == ("nypd", [])


async def test_what_was_opened_in_an_emergency_is_in_the_explanation(sample_harness: RoutingHarness) -> None:
    opened = GrantedAccess(
        uuid4(), referral_of(sample_harness, "hpd"), "hpd", frozenset({FieldGroup.HEALTH}), NOON, NOON + HOUR
    )
    async with sample_harness.database.transaction() as tx:
        await insert_access(tx, case_id(), opened, "Kim [Lee]", "sealed")
    before = await run(sample_harness, agreements_app, "explain", "SR-1", "--agency", "hpd")
    assert "12:00 UTC: opened in an emergency by Kim [Lee]: health; not reviewed yet" in before.stdout
    async with sample_harness.database.transaction() as tx:
        await save_review(tx, AccessReview(opened.access_id, "staff:lou", justified=True), NOON, "sealed")
    after = await run(sample_harness, agreements_app, "explain", "SR-1", "--agency", "hpd")
    assert "health; justified, says staff:lou" in after.stdout


async def test_what_cannot_be_explained_is_said(sample_harness: RoutingHarness) -> None:
    unknown = await run(sample_harness, agreements_app, "explain", "SR-404")
    assert (unknown.exit_code, "unknown case" in unknown.stderr) == (1, True)
    refused = await run(sample_harness, agreements_app, "explain", "SR-1", key="wrong")
    assert (refused.exit_code, "401" in refused.stderr) == (1, True)
    away = CliRunner().invoke(
        agreements_app,
        ["explain", "SR-1"],
        env={"HANDOFF_ROUTING_URL": "http://127.0.0.1:9", "HANDOFF_STAFF_KEY": KEY},
    )
    assert (away.exit_code, "does not answer" in away.stderr) == (1, True)


async def test_changed_agreements_are_tried(sample_harness: RoutingHarness, tmp_path: Path) -> None:
    same = await run(sample_harness, agreements_app, "try", *SINCE, "--with", SAMPLE_CITY)
    assert (same.exit_code, "Nothing would be different in any of 1 cases." in same.stdout) == (0, True), same.output
    told = await run(sample_harness, agreements_app, "try", *SINCE, "--with", without_hpd(tmp_path))
    assert told.exit_code == 0, told.output
    assert "1 of 1 cases would be different." in told.stdout
    assert "-need full" in told.stdout
    lines = await run(sample_harness, agreements_app, "try", *SINCE, "--with", tmp_path, "--json")
    kinds = [json.loads(line)["kind"] for line in lines.stdout.splitlines()]
    assert (kinds[-1], "shared" in kinds, "progress" in kinds) == ("summary", True, False)
    few = await run(sample_harness, agreements_app, "try", *SINCE, "--with", tmp_path, "--limit", "0")
    assert "more differences" in few.stdout


async def test_a_folder_with_errors_is_refused_with_file_line_and_reason(
    sample_harness: RoutingHarness, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text('id = "mine"\nversion = "one"\n', "utf-8")
    told = await run(sample_harness, agreements_app, "try", *SINCE, "--with", tmp_path)
    assert told.exit_code == 2
    assert "agreements/mine.toml:2: error: version:" in told.stderr
    empty = await run(sample_harness, agreements_app, "try", *SINCE, "--with", tmp_path / "..", "--json")
    assert empty.exit_code == 2


async def test_the_choice_of_programs_is_explained(sample_harness: RoutingHarness, tmp_path: Path) -> None:
    told = await run(sample_harness, routing_app, "explain", "SR-1")
    assert told.exit_code == 0, told.output
    assert "it counts" in told.stdout
    assert "was asked by routing" in told.stdout
    supposed = tmp_path / "report.json"
    supposed.write_text(json.dumps({"service_code": "unheard-of", "needs": ["noise"]}), "utf-8")
    barred = await run(sample_harness, routing_app, "explain", "--input", supposed)
    assert "the service is not in the catalogue" in barred.stdout
    supposed.write_text("{", "utf-8")
    assert (await run(sample_harness, routing_app, "explain", "--input", supposed)).exit_code == 2
    assert (await run(sample_harness, routing_app, "explain")).exit_code == 2


async def test_other_routing_rules_are_tried(sample_harness: RoutingHarness, tmp_path: Path) -> None:
    book = tmp_path / "routing-book.toml"
    book.write_text("rule = []\n", "utf-8")
    told = await run(sample_harness, routing_app, "try", *SINCE, "--with", tmp_path)
    assert told.exit_code == 0, told.output
    assert "no program: a person must choose" in told.stdout
    alone = await run(sample_harness, routing_app, "try", *SINCE, "--with", book)
    assert alone.stdout == told.stdout
    book.write_text('[[rule]]\nid = "x"\ncandidates = ["hpd/nothing"]\n', "utf-8")
    wrong = await run(sample_harness, routing_app, "try", *SINCE, "--with", book)
    assert (wrong.exit_code, "routing-book.toml:1: error: rule x" in wrong.stderr) == (2, True)
