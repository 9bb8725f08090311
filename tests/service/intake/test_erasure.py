"""An erased person is gone from every table, and no repeated request or event brings them back."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from shared.events.routing import CaseResolved
from tests.builders import HOUR, NOON
from tests.service.intake.harness import KEY, STAFF, IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers

REPORT = form(description="tok-words", first_name="tok-name", email="tok@example.org", address_string="1 Tok St")
RECORD: dict[str, Any] = {
    "external_id": "A-1",
    "service_code": "noise",
    "description": "tok-words",
    "requested_at": "2026-01-01T00:00:00Z",
    "status": "open",
    "source_agency": "tok-agency",
    "channel": "PHONE",
}
TELLING = ("tok", "882a100c37fffff")


async def erase(harness: IntakeHarness, case: str, key: str = STAFF, confirm: str | None = None) -> httpx.Response:
    return await harness.call("POST", f"persons/{case}/erase", key, data={"confirm": confirm or case})


async def filed(harness: IntakeHarness, key: str | None = None) -> tuple[str, str]:
    (said,) = (await harness.file(REPORT, key)).json()
    return said["service_request_id"], said["token"]


def opened(harness: IntakeHarness) -> dict[str, Any]:
    return {table: rows for table, rows in harness.snapshot().items() if not table.startswith(("outbox", "inbox"))}


async def test_a_subject_export_holds_everything_about_a_person_opened(harness: IntakeHarness) -> None:
    number, _ = await filed(harness, key="k")

    response = await harness.call("GET", f"persons/{number}", STAFF)

    held = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert held["case"]["service_request_id"] == number
    assert held["person"]["identity"] == {"first_name": "tok-name"}
    assert held["person"]["narrative"]["description"] == "tok-words"
    assert [each["type"] for each in held["waiting_to_be_said"]] == ["case.submitted.v1"]
    assert len(held["idempotency_keys"]) == 1
    by_id = await harness.call("GET", f"persons/{held['case']['case_id']}", STAFF)
    assert by_id.json() == held


async def test_a_subject_export_holds_the_words_of_an_imported_record(harness: IntakeHarness) -> None:
    await harness.import_all([RECORD])
    ((number,),) = harness.rows("SELECT service_request_id FROM cases")

    held = (await harness.call("GET", f"persons/{number}", STAFF)).json()

    assert held["record"]["source_agency"] == "tok-agency"


async def test_only_staff_see_what_is_held(harness: IntakeHarness) -> None:
    number, _ = await filed(harness)

    assert (await harness.call("GET", f"persons/{number}", KEY)).status_code == HTTPStatus.FORBIDDEN
    assert (await harness.call("GET", f"persons/{number}", "")).status_code == HTTPStatus.FORBIDDEN
    assert (await harness.call("GET", "persons/26-1", STAFF)).status_code == HTTPStatus.NOT_FOUND


async def test_an_erased_person_is_gone_and_the_erasure_is_announced_once(harness: IntakeHarness) -> None:
    number, token = await filed(harness)
    ends_at = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    harness.clock.shown = datetime.now(UTC)
    consent = {"recipients": ["clinic"], "groups": ["health"], "ends_at": ends_at}
    record = {"signed_by": "tok-signed", "signed_at": "2026-03-01", "method": "paper"}
    sent = {"consent": consent, "record": record}
    assert (await harness.call("POST", f"cases/{number}/consents", json=sent)).status_code == HTTPStatus.CREATED

    first = await erase(harness, number)
    before = harness.snapshot()
    again = await erase(harness, number)

    assert (first.json()["erased_before"], again.json()["erased_before"]) == (False, True)
    assert first.json()["consents_ended"] == 1
    assert first.json()["erased_at"] == again.json()["erased_at"]
    assert harness.snapshot() == before
    assert [said["type"] for said in harness.outbox()][2:] == ["consent.withdrawn.v1", "person.erased.v1"]
    assert harness.rows("SELECT count(*) FROM vault.person_keys") == [(0,)]
    assert not any(telling in str(opened(harness)) for telling in TELLING)
    assert harness.rows("SELECT service_code, district, status, cell, sealed, record FROM cases") == [
        ("no-heat", "north", "open", None, {}, None)
    ]
    text = (await harness.client.get(f"/status/{token}")).text
    assert "What you told us has been erased." in text
    assert "/withdraw" not in text
    held = (await harness.call("GET", f"persons/{number}", STAFF)).json()
    assert held["person"] is None
    assert held["consents"][0]["record"] is None


async def test_what_was_sent_before_under_a_key_opens_nothing_again_not_even_after_a_day(
    harness: IntakeHarness,
) -> None:
    number, _ = await filed(harness, key="k")
    await erase(harness, number)

    responses = [await harness.file(REPORT, key="k")]
    harness.rows("UPDATE idempotency_keys SET created_at = created_at - %s", timedelta(hours=25))
    responses.append(await harness.file(REPORT, key="k"))

    assert {response.status_code for response in responses} == {HTTPStatus.GONE}
    assert harness.count()["cases"] == 1
    assert harness.count()["vault.person_keys"] == 0


async def test_an_imported_row_that_comes_again_opens_nothing(harness: IntakeHarness) -> None:
    await harness.import_all([RECORD])
    ((number,),) = harness.rows("SELECT service_request_id FROM cases")
    await erase(harness, number)

    (result,) = (await harness.import_all([RECORD])).json()["results"]

    assert result["outcome"] == "duplicate"
    assert harness.count()["cases"] == 1
    assert harness.count()["vault.person_keys"] == 0
    assert not any(telling in str(opened(harness)) for telling in TELLING)


async def test_what_routing_says_again_brings_nothing_back(harness: IntakeHarness) -> None:
    number, _ = await filed(harness)
    ((case_id,),) = harness.rows("SELECT case_id FROM cases")
    await erase(harness, number)

    await harness.consume(
        CaseResolved(case_id=case_id, resolution="completed", submitted_at=NOON, resolved_at=NOON + HOUR)
    )

    assert harness.rows("SELECT status, cell, sealed FROM cases") == [("closed", None, {})]
    assert not any(telling in str(opened(harness)) for telling in TELLING)


async def test_the_person_of_a_suppressed_case_is_erased_without_an_event(harness: IntakeHarness) -> None:
    (said,) = (await harness.file(form(service_code="violence", **{"attribute[scope]": ""}))).json()

    response = await erase(harness, said["service_request_id"])

    assert response.status_code == HTTPStatus.OK
    assert harness.outbox() == []
    assert harness.rows("SELECT unsaid, announced FROM cases") == [(None, False)]


async def test_an_erasure_must_be_confirmed_by_a_caller_with_the_scope(harness: IntakeHarness) -> None:
    number, _ = await filed(harness)

    unconfirmed = await erase(harness, number, confirm="26-00000000")
    not_entitled = await erase(harness, number, key=KEY)
    harness.rows("UPDATE api_keys SET scopes = '{erase}'")
    harness.context.keys._callers = None
    harness.context.keys.first_key = None
    entitled = await erase(harness, number, key=KEY)

    assert unconfirmed.status_code == HTTPStatus.BAD_REQUEST
    assert not_entitled.status_code == HTTPStatus.FORBIDDEN
    assert entitled.status_code == HTTPStatus.OK


async def test_a_table_that_refuses_leaves_the_person_as_they_were(harness: IntakeHarness) -> None:
    number, _ = await filed(harness)
    harness.rows("ALTER TABLE outbox ADD CONSTRAINT no_erasure CHECK (event_type <> 'person.erased.v1')")

    response = await erase(harness, number)

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert harness.count()["vault.person_keys"] == 1
    assert harness.rows("SELECT erased_at FROM cases") == [(None,)]
