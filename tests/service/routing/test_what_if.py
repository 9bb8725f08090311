"""Past cases are gone through under other agreements and another book: nothing is written, and memory stays bounded."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.http.api.what_if import what_if_routes
from services.routing.use_cases.what_if import PAGE_SIZE
from services.routing.use_cases.what_if_run import WhatIfRunner
from shared.kit.service.settings import SAMPLE_CITY
from tests.builders import case_id
from tests.service.routing.explanations import BEARER, KEY
from tests.service.routing.harness import RoutingHarness
from tests.unit.routing.fixtures import sample_city

pytestmark = pytest.mark.servers

CITY = sample_city()
SIGNED = {f"agreements/{path.name}": path.read_text("utf-8") for path in (SAMPLE_CITY / "agreements").glob("*.toml")}
BOOK = (SAMPLE_CITY / "routing-book.toml").read_text("utf-8")
LONG_AGO = "2026-01-01T00:00:00Z"

MANY = """
    INSERT INTO cases (case_id, report, service_request_id, routed_at)
    SELECT id, jsonb_set(report::jsonb, '{case_id}', to_jsonb(id))::text, 'SR-M' || n, routed_at + n * interval '1 s'
    FROM cases, LATERAL (SELECT n, gen_random_uuid() AS id FROM generate_series(1, 1999) AS n) AS new
"""


@pytest.fixture
async def sample_harness(harness: RoutingHarness) -> RoutingHarness:
    """Put routing together for the sample city."""
    return replace(harness, context=replace(harness.context, city=CITY))


def client(harness: RoutingHarness) -> httpx.AsyncClient:
    routes = what_if_routes(WhatIfRunner(CITY, SAMPLE_CITY, harness.database), KEY)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://routing", headers=BEARER, timeout=60)


async def tried(
    harness: RoutingHarness, files: dict[str, str], path: str = "/sharing/try", since: str = LONG_AGO
) -> list[Any]:
    async with client(harness) as staff:
        answer = await staff.post(path, json={"since": since, "files": files})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def of_kind(lines: list[Any], kind: str) -> list[Any]:
    return [line for line in lines if line["kind"] == kind]


async def file_repair(harness: RoutingHarness, number: int = 1) -> None:
    service = next(code for code, protects in CITY.protection.services.items() if protects is None and _asks_hpd(code))
    await harness.consume(harness.file("inadequate-housing", number=number, service_code=service))


def _asks_hpd(service: str) -> bool:
    rule = CITY.rules.find(service, "inadequate-housing", None)
    return rule is not None and rule.candidates[0].startswith("hpd/")


def without_hpd() -> dict[str, str]:
    return {name: text for name, text in SIGNED.items() if '"hpd"' not in text}


async def test_the_same_folder_changes_nothing(sample_harness: RoutingHarness) -> None:
    await file_repair(sample_harness)
    before = sample_harness.snapshot()
    lines = await tried(sample_harness, SIGNED)
    assert lines[-1] == {"kind": "summary", "cases": 1, "changed": 0, "groups": [], "asked": []}
    assert of_kind(lines, "progress")[-1] == {"kind": "progress", "done": 1, "total": 1}
    assert sample_harness.snapshot() == before


async def test_without_its_agreements_an_agency_is_given_nothing(sample_harness: RoutingHarness) -> None:
    await file_repair(sample_harness)
    before = sample_harness.snapshot()
    lines = await tried(sample_harness, without_hpd())
    (asked,) = of_kind(lines, "asked")
    assert asked["before"].startswith("hpd/")
    assert asked["after"] is None or not asked["after"].startswith("hpd/")
    removed = next(line for line in of_kind(lines, "shared") if line["agency"] == "hpd")
    assert "need" in removed["removed"]["full"]
    assert (removed["added"], removed["service_request_id"]) == ({}, "SR-1")
    told = {(each["agency"], each["group"]): each["removed"] for each in lines[-1]["groups"]}
    assert told["hpd", "need"] == 1
    assert sample_harness.snapshot() == before


async def test_a_group_that_an_agreement_adds_is_told(sample_harness: RoutingHarness) -> None:
    await file_repair(sample_harness)
    text = next(text for text in SIGNED.values() if "front-door" in text and 'to = ["hpd"]' in text)
    new = text.replace('id = "', 'id = "more-', 1).replace('form = "sealed"', 'form = "full"')
    new = new.partition("[[share]]")[0] + (
        '[[share]]\nid = "words"\nfrom = ["front-door"]\nto = ["hpd"]\ngroups = ["household", "language_access"]\n'
        'form = "thin"\nwhy = "So that a helper speaks their language."\n'
    )
    lines = await tried(sample_harness, {**SIGNED, "agreements/more.toml": new})
    (found,) = of_kind(lines, "shared")
    assert (found["agency"], found["removed"]) == ("hpd", {})
    assert found["added"] == {"thin": ["household", "language_access"]}


async def test_other_rules_ask_another_agency(sample_harness: RoutingHarness) -> None:
    await file_repair(sample_harness)
    changed = BOOK.replace('"hpd/', '"hra/').replace('need = "inadequate-housing"', 'need = "noise"')
    async with client(sample_harness) as staff:
        refused = await staff.post("/routing/try", json={"since": LONG_AGO, "files": {"routing-book.toml": changed}})
    assert refused.status_code == 422
    assert all(each["file"] == "routing-book.toml" and each["line"] > 1 for each in refused.json()["findings"])
    lines = await tried(sample_harness, {"routing-book.toml": "rule = []\n"}, "/routing/try")
    assert [line["after"] for line in of_kind(lines, "asked")] == [None]
    assert of_kind(lines, "asked")[0]["why"] == "no routing rule applies"


async def test_two_thousand_cases_are_gone_through_page_by_page(sample_harness: RoutingHarness) -> None:
    await file_repair(sample_harness)
    sample_harness.execute(MANY)
    lines = await tried(sample_harness, without_hpd())
    progress = [line["done"] for line in of_kind(lines, "progress")]
    assert progress == [*range(0, 2000, PAGE_SIZE), 2000]
    assert (lines[-1]["cases"], lines[-1]["changed"]) == (2000, 2000)
    assert len({line["case_id"] for line in of_kind(lines, "asked")}) == 2000
    some = await tried(sample_harness, without_hpd(), since="2026-03-02T12:33:20Z")
    assert some[-1]["cases"] == 0
    half = await tried(sample_harness, without_hpd(), since="2026-03-02T12:16:40Z")
    assert half[-1]["cases"] == 1000


async def test_what_cannot_be_used_is_refused_with_file_line_and_reason(sample_harness: RoutingHarness) -> None:
    name = next(iter(SIGNED))
    async with client(sample_harness) as staff:
        for path, files, words in (
            ("/sharing/try", {**SIGNED, name: "id = 3"}, "findings"),
            ("/sharing/try", {"routing-book.toml": BOOK}, "cannot be changed here"),
            ("/routing/try", SIGNED, "cannot be changed here"),
            ("/sharing/try", {}, "files"),
        ):
            answer = await staff.post(path, json={"since": LONG_AGO, "files": files})
            assert (answer.status_code, words in answer.text) == (422, True)
        assert (await staff.post("/sharing/try", json={"since": "2026-01-01", "files": SIGNED})).status_code == 422
        staff.headers.clear()
        assert (await staff.post("/sharing/try", json={"since": LONG_AGO, "files": SIGNED})).status_code == 401


async def test_a_database_that_goes_away_is_told_in_the_last_line(sample_harness: RoutingHarness) -> None:
    await sample_harness.database.close()
    lines = await tried(sample_harness, SIGNED)
    assert lines[-1]["kind"] == "failed"


async def test_a_case_that_is_filed_meanwhile_does_no_harm(sample_harness: RoutingHarness) -> None:
    await file_repair(sample_harness)
    both = await asyncio.gather(tried(sample_harness, SIGNED), file_repair(sample_harness, 2))
    assert both[0][-1]["cases"] in {1, 2}
    assert case_id(2) in {row[0] for row in sample_harness.rows("SELECT case_id FROM cases")}
