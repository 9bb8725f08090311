"""Operators can see what became of mails, and nobody can see to whom."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from services.notifications.http.api.deliveries import delivery_routes
from shared.city.reader import read_city
from shared.kit.service.settings import SAMPLE_CITY
from tests.service.notifications.events import accepted, opened
from tests.service.notifications.world import STAFF_KEY, World

CITY = read_city(SAMPLE_CITY)
STAFF = {"authorization": f"Bearer {STAFF_KEY}"}


@pytest.fixture
def client(world: World) -> httpx.AsyncClient:
    """Reach the pages of the service."""
    app = Starlette(routes=delivery_routes(world.deliveries.database, CITY.protection, STAFF_KEY))
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
        for page in ("/deliveries?case_id=1", "/deliveries/summary", f"/cases/{uuid4()}/held"):
            answer = await client.get(page, headers={"authorization": key})
            assert answer.status_code == 401


async def test_everything_that_is_held_about_a_case_is_told(world: World, client: httpx.AsyncClient) -> None:
    case_id, other = await world.report("planted@example.org", service_request_id="SR-17"), await world.report()
    await world.send_all()
    told = (await client.get(f"/cases/{case_id}/held")).json()
    assert told["service"] == "notifications"
    assert [row["service_request_id"] for row in told["held"]["cases"]] == ["SR-17"]
    assert [row["template"] for row in told["held"]["deliveries"]] == ["case-received"]
    assert [row["event_type"] for row in told["held"]["outbox"]] == ["notification.sent.v1"]
    assert str(other) not in str(told)
    tables = world.query(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'notifications' AND column_name = 'case_id'"
    )
    assert {table for (table,) in tables} <= told["held"].keys()


async def test_of_an_unknown_case_nothing_is_held(client: httpx.AsyncClient) -> None:
    held = (await client.get(f"/cases/{uuid4()}/held")).json()["held"]
    assert not any(held.values())
    assert (await client.get("/cases/17/held")).status_code == 422


async def test_what_may_not_be_told_yet_is_not_among_what_is_held(world: World, client: httpx.AsyncClient) -> None:
    case_id = await world.report()
    await world.hear(opened(case_id, uuid4(), shown_from=datetime.now(UTC) + timedelta(days=1)))
    held = (await client.get(f"/cases/{case_id}/held")).json()["held"]["deliveries"]
    assert [row["template"] for row in held] == ["case-received", "emergency-review"]


async def test_operators_do_not_see_which_agency_helps_with_a_protected_report(
    world: World, client: httpx.AsyncClient
) -> None:
    case_id = await world.report(service_code="alcohol-or-drug-help")
    await world.hear(accepted(case_id, agency="dohmh"))
    answer = await client.get("/deliveries", params={"case_id": str(case_id)})
    assert [each["template"] for each in answer.json()] == ["case-received", "referral-accepted"]
    assert "dohmh" not in answer.text
