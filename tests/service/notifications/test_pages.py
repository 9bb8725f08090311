"""Operators can see what became of mails, and nobody can see to whom."""

from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from services.notifications.http import Pages
from tests.service.notifications.events import accepted
from tests.service.notifications.world import STAFF_KEY, World

STAFF = {"authorization": f"Bearer {STAFF_KEY}"}


@pytest.fixture
def client(world: World) -> httpx.AsyncClient:
    """Reach the pages of the service."""
    app = Starlette(routes=Pages(world.office.database, STAFF_KEY).routes())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifications", headers=STAFF)


async def test_the_mails_of_a_case_are_listed_in_order(world: World, client: httpx.AsyncClient) -> None:
    case_id = await world.report("planted@example.org")
    await world.send_all()
    await world.hear(accepted(case_id))
    answer = await client.get("/deliveries", params={"case_id": str(case_id)})
    listed = [(each["template"], each["state"], each["channel"]) for each in answer.json()]
    assert listed == [("case-received", "sent", "email"), ("referral-accepted", "queued", "email")]
    assert "planted" not in answer.text


async def test_mails_are_counted_by_state_and_template(world: World, client: httpx.AsyncClient) -> None:
    await world.report()
    await world.send_all()
    await world.hear(accepted(uuid4()))
    counted = (await client.get("/deliveries/summary")).json()
    assert {state: count for state, count in counted["states"].items() if count} == {"sent": 1, "waiting": 1}
    assert counted["templates"] == {"case-received": {"sent": 1}, "referral-accepted": {"waiting": 1}}


async def test_an_unknown_case_has_no_mails(client: httpx.AsyncClient) -> None:
    assert (await client.get("/deliveries", params={"case_id": str(uuid4())})).json() == []


async def test_a_question_without_a_case_is_refused(client: httpx.AsyncClient) -> None:
    answers = [await client.get(f"/deliveries{asked}") for asked in ("", "?case_id=", "?case_id=17")]
    assert [answer.status_code for answer in answers] == [422] * 3


async def test_without_the_staff_key_nothing_is_shown(client: httpx.AsyncClient) -> None:
    for key in ("", "Bearer ", "Bearer other", "Basic staff"):
        for page in ("/deliveries?case_id=1", "/deliveries/summary"):
            answer = await client.get(page, headers={"authorization": key})
            assert answer.status_code == 401
