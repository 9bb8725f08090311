"""The public can search cases, and sees nothing that is personal or protected."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from defusedxml import ElementTree

from tests.builders import HOUR, NOON
from tests.service.intake.harness import IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers


async def filed(harness: IntakeHarness, **fields: str) -> str:
    response = await harness.file(form(**fields))
    assert response.status_code == HTTPStatus.CREATED, response.text
    return str(response.json()[0]["service_request_id"])


async def found(harness: IntakeHarness, **query: str) -> list[str]:
    rows = await harness.get("requests.json", **query)
    return [row["service_request_id"] for row in rows]


async def test_a_case_is_shown_without_words_and_with_a_coarse_place(harness: IntakeHarness) -> None:
    number = await filed(harness, description="Secret words", address_string="1 Elm St", email="a@example.org")

    response = await harness.client.get(f"/open311/v2/requests/{number}.json?extensions=true")

    (row,) = response.json()
    for value in ("Secret", "Elm", "a@example.org"):
        assert value not in response.text
    assert row["service_name"] == "No heat"
    assert row["description"] is row["address"] is row["media_url"] is None
    assert (row["lat"], row["long"]) != (40.7, -73.9)
    assert abs(row["lat"] - 40.7) < 0.02
    assert row["extended_attributes"] == {"channel": "api", "district": "north"}


async def test_no_search_finds_a_protected_case(harness: IntakeHarness) -> None:
    protected = await filed(harness, service_code="violence", **{"attribute[scope]": ""})
    mentioned = await filed(harness, need="safety")

    assert await found(harness) == []
    assert await found(harness, service_request_id=f"{protected},{mentioned}") == []
    one = await harness.client.get(f"/open311/v2/requests/{protected}.json")
    assert one.status_code == HTTPStatus.NOT_FOUND


async def test_cases_are_found_by_number_service_status_and_date_newest_first(harness: IntakeHarness) -> None:
    first = await filed(harness)
    harness.clock.shown = NOON + 30 * 24 * HOUR
    second = await filed(harness, service_code="noise", **{"attribute[scope]": ""})
    harness.clock.shown = NOON + 100 * 24 * HOUR
    third = await filed(harness)
    harness.rows("UPDATE cases SET status = 'closed' WHERE service_request_id = %s", second)

    assert await found(harness) == [third, second]
    assert await found(harness, service_request_id=f"{first},{second}") == [first, second]
    assert await found(harness, service_code="no-heat,gold") == [third]
    assert await found(harness, status="closed") == [second]
    assert await found(harness, start_date="2026-03-01T00:00:00Z", end_date="2026-03-31T00:00:00Z") == [first]


async def test_cases_are_found_by_their_last_change(harness: IntakeHarness) -> None:
    first, second = await filed(harness), await filed(harness)
    harness.rows("UPDATE cases SET updated_at = %s WHERE service_request_id = %s", NOON + timedelta(days=300), first)

    assert await found(harness, updated_after="2026-12-01T00:00:00Z") == [first]
    assert await found(harness, updated_before="2026-03-03T00:00:00Z") == [second]


async def test_pages_neither_repeat_nor_leave_out(harness: IntakeHarness) -> None:
    numbers = [await filed(harness) for _ in range(7)]

    pages = [await found(harness, page=str(page), page_size="3") for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert sorted(number for page in pages for number in page) == sorted(numbers)


async def answer(harness: IntakeHarness, path: str) -> httpx.Response:
    return await harness.client.get(path)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/open311/v2/requests/26-99999999.json", 404),
        ("/open311/v2/requests/%00.json", 404),
        ("/open311/v2/requests.json?service_request_id=%00", 400),
        ("/open311/v2/requests.json?service_code=%00", 400),
        ("/open311/v2/requests.json?start_date=soon", 400),
        ("/open311/v2/requests.json?jurisdiction_id=elsewhere", 404),
        ("/open311/v2/requests.json?status=%ff", 400),
        ("/open311/v2/services/gold.json", 404),
        ("/open311/v2/services.json?jurisdiction_id=elsewhere", 404),
        ("/open311/v2/tokens/guessed.json", 404),
        ("/open311/v2/requests.txt", 404),
        ("/open311/v2/nothing.json", 404),
        ("/open311/v3/requests.json", 404),
    ],
)
async def test_a_404_is_in_the_caller_s_format(harness: IntakeHarness, path: str, status: int) -> None:
    as_json = await answer(harness, path)
    as_xml = await answer(harness, path.replace(".json", ".xml"))

    assert as_json.status_code == as_xml.status_code == status
    assert as_json.json()[0]["code"] == status
    if ".json" in path:
        assert ElementTree.fromstring(as_xml.content).findtext("error/code") == str(status)


async def test_a_method_that_a_path_does_not_have_is_refused(harness: IntakeHarness) -> None:
    response = await harness.client.delete("/open311/v2/requests.json")

    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert response.headers["allow"] == "GET, POST"


async def test_services_and_discovery_are_there_in_both_forms(harness: IntakeHarness) -> None:
    services = await harness.get("services.json")
    in_xml = await answer(harness, "/open311/v2/services.xml?jurisdiction_id=small-town")
    discovery: Any = (await answer(harness, "/open311/discovery.json")).json()

    assert [service["service_code"] for service in services] == ["no-heat", "noise", "violence"]
    assert len(ElementTree.fromstring(in_xml.content)) == 3
    assert discovery["endpoints"][0]["url"] == "http://front-door/open311/v2"
    assert (await answer(harness, "/open311/discovery.xml")).status_code == HTTPStatus.OK
