"""A report is stored completely or not at all, once for each key, and its personal data only sealed."""

import asyncio
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from defusedxml import ElementTree

from shared.events.intake import Origin, Place
from tests.builders import NOON
from tests.service.intake.harness import IntakeHarness
from tests.unit.intake.fixtures import CELL, form

pytestmark = pytest.mark.servers

REPORT = form(
    description="It is cold in here",
    first_name="Ana",
    email="ana@example.org",
    address_string="1 Elm St",
    account_id="acc-7",
)
ALONE = {"cases": 1, "outbox": 1, "outbox_sequences": 1, "idempotency_keys": 0, "vault.person_keys": 1}
NOTHING = dict.fromkeys(ALONE, 0)


async def test_a_report_is_answered_with_its_number_and_token(harness: IntakeHarness) -> None:
    response = await harness.file(REPORT)

    assert response.status_code == HTTPStatus.CREATED
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    (said,) = response.json()
    assert said["service_request_id"].startswith("26-")
    assert said["account_id"] == "acc-7"
    assert said["service_notice"].endswith(f"http://front-door/status/{said['token']}")
    assert await harness.get(f"tokens/{said['token']}.json") == [
        {"service_request_id": said["service_request_id"], "token": said["token"]}
    ]


async def test_a_report_in_xml_is_answered_in_xml(harness: IntakeHarness) -> None:
    response = await harness.file(REPORT, extension="xml")

    assert response.status_code == HTTPStatus.CREATED
    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)
    assert root.tag == "service_requests"
    assert (root.findtext("request/service_request_id") or "").startswith("26-")


async def test_a_report_leaves_a_case_a_key_and_an_event(harness: IntakeHarness) -> None:
    await harness.file(REPORT)

    assert harness.count() == ALONE
    (event,) = harness.submitted()
    assert event.place == Place(cell=CELL, district="north")
    assert event.origin == Origin(channel="api")
    assert event.submitted_at == NOON
    assert [need.need for need in event.needs] == ["housing"]
    (row,) = harness.rows("SELECT topic, sequence, shard, happened_at, classification, traceparent FROM outbox")
    assert row[:2] == ("intake.cases.v1", 1)
    assert row[2] == event.case_id.int % 16
    assert row[3:5] == ("2026-03-02T12:00:00Z", "internal")
    assert row[5].startswith("00-")


async def test_what_is_personal_is_sealed_and_can_be_opened_with_the_person_s_key(harness: IntakeHarness) -> None:
    await harness.file(REPORT)

    snapshot = str(harness.snapshot())
    for value in ("It is cold in here", "Ana", "ana@example.org", "1 Elm St", "acc-7", "40.7", "-73.9"):
        assert value not in snapshot
    (event,) = harness.submitted()
    assert harness.unseal(event) == {
        "address": {"address": "1 Elm St", "lat": 40.7, "long": -73.9},
        "identity": {"first_name": "Ana", "account_id": "acc-7"},
        "contact": {"email": "ana@example.org"},
        "narrative": {"description": "It is cold in here", "attributes": {"scope": ["flat"]}},
    }


async def test_the_same_key_and_report_are_answered_the_same_again(harness: IntakeHarness) -> None:
    first = await harness.file(REPORT, key="k1")
    again = await harness.file(REPORT, key="k1")
    in_xml = await harness.file(REPORT, key="k1", extension="xml")

    assert first.status_code == again.status_code == in_xml.status_code == HTTPStatus.CREATED
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert harness.count() == ALONE | {"idempotency_keys": 1}


async def test_an_idempotency_key_is_stored_as_a_hash_only(harness: IntakeHarness) -> None:
    await harness.file(REPORT, key="ana@example.org")

    assert "ana@example.org" not in str(harness.snapshot())


async def test_the_same_key_with_another_report_is_refused(harness: IntakeHarness) -> None:
    await harness.file(REPORT, key="k1")

    response = await harness.file(REPORT | {"description": ["Something else"]}, key="k1")

    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert harness.count()["cases"] == 1


async def test_the_same_key_many_times_at_once_files_one_case(harness: IntakeHarness) -> None:
    responses = await asyncio.gather(*(harness.file(REPORT, key="k1") for _ in range(12)))

    statuses = [response.status_code for response in responses]
    assert set(statuses) <= {HTTPStatus.CREATED, HTTPStatus.CONFLICT}
    assert HTTPStatus.CREATED in statuses
    assert harness.count() == ALONE | {"idempotency_keys": 1}


async def test_two_processes_with_the_same_key_file_one_case(harness: IntakeHarness) -> None:
    async with IntakeHarness.open(harness.own) as other:
        responses = await asyncio.gather(*(each.file(REPORT, key="k1") for each in (harness, other) * 4))

    created = [response.json() for response in responses if response.status_code == HTTPStatus.CREATED]
    assert created
    assert all(said == created[0] for said in created)
    assert harness.count()["cases"] == 1


async def test_a_key_is_forgotten_after_a_day(harness: IntakeHarness) -> None:
    await harness.file(REPORT, key="k1")
    harness.rows("UPDATE idempotency_keys SET created_at = now() - %s", timedelta(hours=25))

    response = await harness.file(REPORT | {"description": ["Something else"]}, key="k1")

    assert response.status_code == HTTPStatus.CREATED
    assert harness.count()["cases"] == 2


@pytest.mark.parametrize("key", [" ", "x" * 256, "\u00e9"])
async def test_a_key_that_is_none_is_refused(harness: IntakeHarness, key: str) -> None:
    headers = {"Authorization": "Bearer the-key-of-the-tests", "Idempotency-Key": key.encode()}
    response = await harness.client.post("/open311/v2/requests.json", data=REPORT, headers=headers)  # type: ignore[arg-type]

    assert response.status_code == HTTPStatus.BAD_REQUEST


async def post(harness: IntakeHarness, extension: str = "json", **sent: Any) -> httpx.Response:
    return await harness.client.post(f"/open311/v2/requests.{extension}", **sent)


async def test_a_caller_without_a_valid_key_is_refused(harness: IntakeHarness) -> None:
    missing = await post(harness, data=REPORT)
    wrong = await post(harness, "xml", data=REPORT | {"api_key": ["guessed"]})
    right = await post(harness, data=REPORT | {"api_key": ["the-key-of-the-tests"]})

    assert missing.status_code == wrong.status_code == HTTPStatus.FORBIDDEN
    assert missing.json()[0]["code"] == HTTPStatus.FORBIDDEN
    assert ElementTree.fromstring(wrong.content).findtext("error/code") == "403"
    assert right.status_code == HTTPStatus.CREATED


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"data": form(service_code="gold")}, 404, "service_code was not found"),
    ({"data": form(**{"attribute[scope]": ""})}, 400, "attribute[scope] is required"),
    ({"data": form(lat="95")}, 400, "lat must be a number of degrees"),
    ({"json": {"service_code": "no-heat", "description": "x" * 10_000_000}}, 413, "larger than"),
    ({"content": b"<a><b></a>", "headers": {"content-type": "text/xml"}}, 415, "must be"),
    ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "JSON"),
    ({"content": b"\xff\xfe", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 400, "UTF-8"),
    ({"data": form(), "files": {"photo": b"GIF89a"}}, 400, "media_url"),
]


@pytest.mark.parametrize("extension", ["json", "xml"])
@pytest.mark.parametrize(("sent", "status", "words"), BAD)
async def test_invalid_input_is_refused_in_the_caller_s_format_and_nothing_is_stored(
    harness: IntakeHarness, sent: dict[str, Any], status: int, words: str, extension: str
) -> None:
    headers = {"Authorization": "Bearer the-key-of-the-tests"} | sent.get("headers", {})
    response = await post(harness, extension, **(sent | {"headers": headers}))

    assert response.status_code == status
    if extension == "json":
        descriptions = [error["description"] for error in response.json()]
    else:
        descriptions = [error.findtext("description") for error in ElementTree.fromstring(response.content)]
    assert any(words in description for description in descriptions), descriptions
    assert harness.count() == NOTHING


async def test_a_report_is_taken_in_parts_and_as_json(harness: IntakeHarness) -> None:
    headers = {"Authorization": "Bearer the-key-of-the-tests"}
    parts = [(name, (None, values[0])) for name, values in REPORT.items()]
    in_parts = await post(harness, headers=headers, files=parts)
    as_json = await post(
        harness, headers=headers, json={"service_code": "noise", "lat": 40.7, "long": -73.9, "needs": ["company"]}
    )

    assert in_parts.status_code == as_json.status_code == HTTPStatus.CREATED
    assert [[need.need for need in event.needs] for event in harness.submitted()] == [["housing"], ["quiet", "company"]]


async def test_a_table_that_refuses_leaves_nothing_behind(harness: IntakeHarness) -> None:
    harness.rows("ALTER TABLE outbox ADD CONSTRAINT nothing_fits CHECK (false)")

    response = await harness.file(REPORT, key="k1")

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert harness.count() == NOTHING


async def test_numbers_are_never_given_twice_by_two_processes(harness: IntakeHarness) -> None:
    async with IntakeHarness.open(harness.own) as other:
        responses = await asyncio.gather(*(each.file(REPORT) for each in (harness, other) * 60))

    numbers = [response.json()[0]["service_request_id"] for response in responses]
    assert len(set(numbers)) == 120
