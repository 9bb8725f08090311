"""The page on which staff ask why: an explanation in words, and what was refused of late."""

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.explaining.history import History
from services.routing.explaining.sharing import Explainer
from services.routing.http.sharing_page import sharing_page_routes
from tests.service.routing.explaining import BEARER, KEY, put_on_record
from tests.service.routing.world import World
from tests.unit.routing.town import AGREEMENTS, NOON, case_id

pytestmark = pytest.mark.servers

PAGE = {**BEARER, "accept": "text/html"}


def client(world: World, headers: dict[str, str]) -> httpx.AsyncClient:
    explainer = Explainer(world.desk, History(world.desk.city.sharing))
    transport = httpx.ASGITransport(Starlette(routes=sharing_page_routes(explainer, world.database, KEY)))
    return httpx.AsyncClient(transport=transport, base_url="http://routing", headers=headers)


async def test_the_page_explains_a_case_in_words(world: World) -> None:
    await put_on_record(world, AGREEMENTS, NOON)
    await world.hear(world.file("noise", service_code="loud"))
    async with client(world, PAGE) as staff:
        page = await staff.get("/sharing", params={"of": " SR-1 "})
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "script" not in page.text
    for words in (
        "address is released full under to-police/to-police (version 1): They help.",
        "nobody may not know of the need: no agreement lets this agency have it.",
        "health is withheld: no agreement lets this agency have it.",
        "rule noise names need noise: it counts",
        "is choice 2 of the rule",
    ):
        assert words in page.text


async def test_the_page_can_be_asked_about_an_agency_that_has_nothing_to_do_with_it(world: World) -> None:
    await world.hear(world.file("housing"))
    async with client(world, PAGE) as staff:
        page = await staff.get("/sharing", params={"of": str(case_id()), "agency": "<police>"})
    assert "It was asked about." in page.text
    assert "<police>" not in page.text


async def test_what_was_refused_of_late_is_listed(world: World) -> None:
    async with client(world, PAGE) as staff:
        assert "Nothing was refused." in (await staff.get("/sharing")).text
        await world.hear(world.file("noise", service_code="loud"))
        assert f"/sharing?of={case_id()}&amp;agency=nobody" in (await staff.get("/sharing")).text
    async with client(world, BEARER) as program:
        (refused,) = (await program.get("/sharing")).json()["refused"]
    assert (refused["agency"], refused["why"]) == ("nobody", ["no-agreement"])


async def test_a_report_of_violence_without_consent_is_in_no_list_and_is_explained_to_whoever_has_its_id(
    world: World,
) -> None:
    await world.hear(world.file("safety", service_code="violence"))
    assert world.rows("SELECT count(*) FROM refused_disclosures") == [(1,)]
    async with client(world, PAGE) as staff:
        assert "Nothing was refused." in (await staff.get("/sharing")).text
        assert "victim services ask for a consent" in (await staff.get("/sharing", params={"of": "SR-1"})).text


async def test_a_case_that_nobody_knows_is_said_and_nobody_gets_in_without_the_key(world: World) -> None:
    async with client(world, PAGE) as staff:
        page = await staff.get("/sharing", params={"of": "SR-404"})
        assert (page.status_code, "no such case" in page.text) == (404, True)
    async with client(world, {}) as anybody:
        assert (await anybody.get("/sharing")).status_code == 401
