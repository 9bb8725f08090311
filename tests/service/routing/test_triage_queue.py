"""What staff see and do: the triage queue, and one case with its history."""

import base64
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.http.api.cases import case_routes
from services.routing.http.pages.triage import triage_routes
from shared.events.agency_updates import ReferralRejected
from shared.events.reasons import Reason
from tests.builders import NOON, case_id, need_id
from tests.service.routing.harness import RoutingHarness

pytestmark = pytest.mark.servers

KEY = "a key for staff"
BEARER = {"authorization": f"Bearer {KEY}"}
KIM = {"authorization": "Basic " + base64.b64encode(f"kim:{KEY}".encode()).decode()}
LONELY = need_id("loneliness")
POLICE = {"agency": "police", "program": "precinct"}


@pytest.fixture
async def staff(harness: RoutingHarness) -> AsyncIterator[httpx.AsyncClient]:
    """A client of routing's pages."""
    routes = [
        *triage_routes(harness.context, harness.database, KEY),
        *case_routes(harness.context, harness.database, KEY),
    ]
    transport = httpx.ASGITransport(app=Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://routing") as client:
        yield client


async def test_a_request_without_the_key_is_refused(harness: RoutingHarness, staff: httpx.AsyncClient) -> None:
    await harness.consume(harness.file("loneliness"))
    for path in ("/triage", f"/cases/{case_id()}"):
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic ???"}):
            answer = await staff.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic")
    assert (await staff.post(f"/triage/{LONELY}", json=POLICE)).status_code == 401


async def test_the_desk_lists_what_waits(harness: RoutingHarness, staff: httpx.AsyncClient) -> None:
    await harness.consume(harness.file("loneliness", "housing"))
    (waiting,) = (await staff.get("/triage", headers=BEARER)).json()["waiting"]
    assert waiting == {
        "need_id": str(LONELY),
        "case_id": str(case_id()),
        "need": "loneliness",
        "service_code": "repair",
        "district": "south",
        "reason": "no-program",
        "why": "no routing rule applies",
        "since": "2026-03-02T12:00:00Z",
    }


async def test_a_person_chooses_a_program_once_and_is_on_record(
    harness: RoutingHarness, staff: httpx.AsyncClient
) -> None:
    await harness.consume(harness.file("loneliness"))
    answer = await staff.post(f"/triage/{LONELY}", headers=BEARER, json={**POLICE, "by": "kim"})
    assert answer.status_code == 201
    assert harness.rows("SELECT referral_id::text, agency, state FROM referrals") == [
        (answer.json()["referral_id"], "police", "requested")
    ]
    assert harness.rows("SELECT ended_by, assigned_to FROM triage") == [("staff:kim", "police/precinct")]
    assert harness.rows("SELECT by, why FROM referral_changes") == [("staff:kim", "chosen by staff:kim")]
    assert [row.type for row in harness.outbox("agency.police.inbox.v1")] == ["referral.requested.v1"]
    again = await staff.post(f"/triage/{LONELY}", headers=BEARER, json=POLICE)
    assert again.status_code == 409
    assert (await staff.get("/triage", headers=BEARER)).json() == {"waiting": []}


REFUSED = (
    (LONELY, {"agency": "police", "program": "choir"}, 409, "unknown program police/choir"),
    (LONELY, {"agency": "harbor", "program": "desk"}, 409, "may not be given"),
    (LONELY, {"agency": "police"}, 422, "program"),
    (LONELY, {"agency": "Police!", "program": "x"}, 422, "agency"),
    (uuid4(), POLICE, 409, "not in the triage queue"),
)


async def test_a_choice_that_cannot_be_carried_out_changes_nothing(
    harness: RoutingHarness, staff: httpx.AsyncClient
) -> None:
    await harness.consume(harness.file("loneliness"))
    before = harness.snapshot()
    for need, body, status, words in REFUSED:
        answer = await staff.post(f"/triage/{need}", headers=BEARER, json=body)
        assert answer.status_code == status
        assert words in answer.json()["error"]
    assert harness.snapshot() == before


async def test_the_page_offers_only_agencies_that_may_be_given_the_report(
    harness: RoutingHarness, staff: httpx.AsyncClient
) -> None:
    await harness.consume(harness.file("loneliness"), harness.file("loneliness", number=2, service_code="drugs"))
    page = await staff.get("/triage", headers={**KIM, "accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.count("<form") == 1
    assert "police/precinct" in page.text
    assert "harbor/desk" not in page.text
    assert "written consent" in page.text


async def test_a_form_from_our_own_page_is_taken_and_one_from_elsewhere_is_not(
    harness: RoutingHarness, staff: httpx.AsyncClient
) -> None:
    await harness.consume(harness.file("loneliness"))
    form = {"program": "police/precinct"}
    foreign = {**KIM, "origin": "http://elsewhere.example"}
    assert (await staff.post(f"/triage/{LONELY}", headers=foreign, data=form)).status_code == 403
    assert harness.rows("SELECT count(*) FROM referrals") == [(0,)]
    answer = await staff.post(f"/triage/{LONELY}", headers={**KIM, "origin": "http://routing"}, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/triage")
    assert harness.rows("SELECT ended_by FROM triage") == [("staff:kim",)]


async def test_a_case_is_shown_with_the_history_of_each_referral(
    harness: RoutingHarness, staff: httpx.AsyncClient
) -> None:
    filed = harness.file("housing", "loneliness")
    await harness.consume(filed)
    ((referral_id,),) = harness.rows("SELECT referral_id FROM referrals")
    said = {"case_id": filed.case_id, "referral_id": referral_id, "occurred_at": NOON, "explanation": "Ana was out"}
    await harness.consume_updates("homes", ReferralRejected(**said, reason=Reason.NO_ACCESS))
    shown = (await staff.get(f"/cases/{filed.case_id}", headers=BEARER)).json()
    housing, lonely = shown["needs"]
    assert [(each["agency"], each["state"]) for each in housing["referrals"]] == [
        ("homes", "rejected"),
        ("clinic", "requested"),
    ]
    history = housing["referrals"][0]["history"]
    assert [(each["change"], each["by"], each["words"]) for each in history] == [
        ("requested", "routing", None),
        ("rejected", "agency:homes", "Ana was out"),
    ]
    assert lonely["triage"][0]["reason"] == "no-program"
    harness.erase(filed)
    shown = (await staff.get(f"/cases/{filed.case_id}", headers=BEARER)).json()
    assert shown["needs"][0]["referrals"][0]["history"][1]["words"] is None


async def test_an_unknown_case_is_not_found(staff: httpx.AsyncClient) -> None:
    assert (await staff.get(f"/cases/{uuid4()}", headers=BEARER)).status_code == 404
    assert (await staff.get("/cases/not-an-id", headers=BEARER)).status_code == 404
