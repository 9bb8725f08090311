"""Operators see the states of mails, and no address."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from services.notifications.http.api.deliveries import delivery_routes, subject_export_route
from shared.city.reader import read_city
from shared.kit.service.settings import SAMPLE_CITY
from tests.service.notifications.events import accepted, opened
from tests.service.notifications.harness import STAFF_KEY, NotificationsHarness

CITY = read_city(SAMPLE_CITY)
STAFF = {"authorization": f"Bearer {STAFF_KEY}"}


@pytest.fixture
def client(harness: NotificationsHarness) -> httpx.AsyncClient:
    """Return a client of the service."""
    database = harness.deliveries.database
    routes = [*delivery_routes(database, CITY.protection, STAFF_KEY), subject_export_route(database, STAFF_KEY)]
    app = Starlette(routes=routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifications", headers=STAFF)


async def test_the_mails_of_a_case_are_listed_in_order(
    harness: NotificationsHarness, client: httpx.AsyncClient
) -> None:
    case_id = await harness.report("planted@example.org")
    await harness.send_all()
    await harness.consume(accepted(case_id))
    answer = await client.get("/deliveries", params={"case_id": str(case_id)})
    listed = [(each["template"], each["state"], each["channel"]) for each in answer.json()]
    assert listed == [("case-received", "sent", "email"), ("referral-accepted", "queued", "email")]
    assert "planted" not in answer.text


async def test_mails_are_counted_by_state_and_template(
    harness: NotificationsHarness, client: httpx.AsyncClient
) -> None:
    await harness.report()
    await harness.send_all()
    await harness.consume(accepted(uuid4()))
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


async def test_the_subject_export_has_every_row_about_a_case(
    harness: NotificationsHarness, client: httpx.AsyncClient
) -> None:
    case_id, other = await harness.report("planted@example.org", service_request_id="SR-17"), await harness.report()
    await harness.send_all()
    export = (await client.get(f"/cases/{case_id}/held")).json()
    assert export["service"] == "notifications"
    assert [row["service_request_id"] for row in export["held"]["cases"]] == ["SR-17"]
    assert [row["template"] for row in export["held"]["deliveries"]] == ["case-received"]
    assert [row["event_type"] for row in export["held"]["outbox"]] == ["notification.sent.v1"]
    assert str(other) not in str(export)
    tables = harness.rows(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'notifications' AND column_name = 'case_id'"
    )
    assert {table for (table,) in tables} <= export["held"].keys()


async def test_the_subject_export_of_an_unknown_case_is_empty(client: httpx.AsyncClient) -> None:
    held = (await client.get(f"/cases/{uuid4()}/held")).json()["held"]
    assert not any(held.values())
    assert (await client.get("/cases/17/held")).status_code == 422


async def test_the_subject_export_leaves_out_what_is_under_an_embargo(
    harness: NotificationsHarness, client: httpx.AsyncClient
) -> None:
    case_id = await harness.report()
    await harness.consume(opened(case_id, uuid4(), shown_from=datetime.now(UTC) + timedelta(days=1)))
    held = (await client.get(f"/cases/{case_id}/held")).json()["held"]["deliveries"]
    assert [row["template"] for row in held] == ["case-received", "emergency-review"]


async def test_operators_do_not_see_which_agency_helps_with_a_protected_report(
    harness: NotificationsHarness, client: httpx.AsyncClient
) -> None:
    case_id = await harness.report(service_code="alcohol-or-drug-help")
    await harness.consume(accepted(case_id, agency="dohmh"))
    answer = await client.get("/deliveries", params={"case_id": str(case_id)})
    assert [each["template"] for each in answer.json()] == ["case-received", "referral-accepted"]
    assert "dohmh" not in answer.text
