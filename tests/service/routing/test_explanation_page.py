"""The page on which staff ask why: an explanation in words, and what was refused of late."""

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.http.pages.explanations import explanation_page_routes
from services.routing.use_cases.explain.disclosures import Explainer
from services.routing.use_cases.explain.policy_history import PolicyHistory
from tests.builders import NOON, case_id
from tests.service.routing.explanations import BEARER, KEY, put_on_record
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.partner_client import REASON, STAFF_KEY, agency, caller, path_of, referral_of
from tests.unit.routing.fixtures import AGREEMENTS

pytestmark = pytest.mark.servers

PAGE = {**BEARER, "accept": "text/html"}


def client(harness: RoutingHarness, headers: dict[str, str]) -> httpx.AsyncClient:
    explainer = Explainer(harness.context, PolicyHistory(harness.context.city.policy))
    transport = httpx.ASGITransport(Starlette(routes=explanation_page_routes(explainer, harness.database, KEY)))
    return httpx.AsyncClient(transport=transport, base_url="http://routing", headers=headers)


async def test_the_page_explains_a_case_in_words(harness: RoutingHarness) -> None:
    await put_on_record(harness, AGREEMENTS, NOON)
    await harness.consume(harness.file("noise", service_code="loud"))
    async with client(harness, PAGE) as staff:
        page = await staff.get("/sharing", params={"of": " SR-1 "})
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "script" not in page.text
    for words in (
        "address is released full under to-police/to-police (version 1): They help.",
        "harbor may not know of the need: no agreement releases it to this agency.",
        "health is withheld: no agreement releases it to this agency.",
        "rule noise names need noise: it counts",
        "is choice 2 of the rule",
    ):
        assert words in page.text


async def test_the_page_can_be_asked_about_an_agency_that_has_nothing_to_do_with_it(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    async with client(harness, PAGE) as staff:
        page = await staff.get("/sharing", params={"of": str(case_id()), "agency": "<police>"})
    assert "It was asked about." in page.text
    assert "<police>" not in page.text


async def test_what_was_opened_in_an_emergency_is_told_and_what_a_reviewer_says_of_it(
    harness: RoutingHarness,
) -> None:
    await harness.consume(harness.file("housing"))
    referral_id = referral_of(harness)
    async with agency(harness) as homes:
        opened = await homes.post(
            f"{path_of(referral_id)}/emergency", json={"reason": REASON, "caseworker": "Kim Lee", "minutes": 30}
        )
    async with client(harness, PAGE) as staff:
        before = (await staff.get("/sharing", params={"of": str(referral_id), "agency": "homes"})).text
        await reviewed(harness, opened.json()["access_id"])
        after = (await staff.get("/sharing", params={"of": str(referral_id), "agency": "homes"})).text
    assert "opened in an emergency by Kim Lee, until 2026-03-02 12:30 UTC: identity, household, narrative" in before
    assert 'Not <a href="/emergencies">reviewed</a> yet.' in before
    assert "Not justified, says staff:lou." in after
    assert "danger" not in before + after, "what caseworkers and reviewers wrote is personal"


async def reviewed(harness: RoutingHarness, access_id: str) -> None:
    """Let a reviewer say that an access was not justified."""
    async with caller(harness, STAFF_KEY) as staff:
        said = {"justified": False, "note": "There was no danger", "by": "lou"}
        assert (await staff.post(f"/emergencies/{access_id}", json=said)).status_code == 200


async def test_what_was_refused_of_late_is_listed(harness: RoutingHarness) -> None:
    async with client(harness, PAGE) as staff:
        assert "There are no denials." in (await staff.get("/sharing")).text
        await harness.consume(harness.file("noise", service_code="loud"))
        assert f"/sharing?of={case_id()}&amp;agency=harbor" in (await staff.get("/sharing")).text
    async with client(harness, BEARER) as program:
        (refused,) = (await program.get("/sharing")).json()["refused"]
    assert (refused["agency"], refused["why"]) == ("harbor", ["no-agreement"])


async def test_a_report_of_violence_without_consent_is_in_no_list_and_is_explained_by_its_id(
    harness: RoutingHarness,
) -> None:
    await harness.consume(harness.file("safety", service_code="violence"))
    assert harness.rows("SELECT count(*) FROM refused_disclosures") == [(1,)]
    async with client(harness, PAGE) as staff:
        assert "There are no denials." in (await staff.get("/sharing")).text
        assert "victim services require a consent" in (await staff.get("/sharing", params={"of": "SR-1"})).text


async def test_an_unknown_case_is_said_and_a_request_without_the_key_is_refused(harness: RoutingHarness) -> None:
    async with client(harness, PAGE) as staff:
        page = await staff.get("/sharing", params={"of": "SR-404"})
        assert (page.status_code, "unknown case" in page.text) == (404, True)
    async with client(harness, {}) as anybody:
        assert (await anybody.get("/sharing")).status_code == 401
