"""A person who is erased is gone from every table, and nothing that is sent or heard again brings them back."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from shared.events.routing import CaseResolved
from tests.builders import HOUR, NOON
from tests.service.intake.world import KEY, STAFF, World
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


async def erase(world: World, case: str, key: str = STAFF, confirm: str | None = None) -> httpx.Response:
    return await world.call("POST", f"persons/{case}/erase", key, data={"confirm": confirm or case})


async def filed(world: World, key: str | None = None) -> tuple[str, str]:
    (said,) = (await world.file(REPORT, key)).json()
    return said["service_request_id"], said["token"]


def opened(world: World) -> dict[str, Any]:
    return {table: rows for table, rows in world.everything().items() if not table.startswith(("outbox", "inbox"))}


async def test_everything_that_is_held_about_a_person_is_told_opened(world: World) -> None:
    number, _ = await filed(world, key="k")

    response = await world.call("GET", f"persons/{number}", STAFF)

    held = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert held["case"]["service_request_id"] == number
    assert held["person"]["identity"] == {"first_name": "tok-name"}
    assert held["person"]["narrative"]["description"] == "tok-words"
    assert [each["type"] for each in held["waiting_to_be_said"]] == ["case.submitted.v1"]
    assert len(held["idempotency_keys"]) == 1
    by_id = await world.call("GET", f"persons/{held['case']['case_id']}", STAFF)
    assert by_id.json() == held


async def test_what_else_an_imported_record_says_is_told_too(world: World) -> None:
    await world.import_all([RECORD])
    ((number,),) = world.rows("SELECT service_request_id FROM cases")

    held = (await world.call("GET", f"persons/{number}", STAFF)).json()

    assert held["record"]["source_agency"] == "tok-agency"


async def test_only_staff_see_what_is_held(world: World) -> None:
    number, _ = await filed(world)

    assert (await world.call("GET", f"persons/{number}", KEY)).status_code == HTTPStatus.FORBIDDEN
    assert (await world.call("GET", f"persons/{number}", "")).status_code == HTTPStatus.FORBIDDEN
    assert (await world.call("GET", "persons/26-1", STAFF)).status_code == HTTPStatus.NOT_FOUND


async def test_an_erased_person_is_gone_and_it_is_told_once(world: World) -> None:
    number, token = await filed(world)
    ends_at = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    world.clock.shown = datetime.now(UTC)
    consent = {"recipients": ["clinic"], "groups": ["health"], "ends_at": ends_at}
    record = {"signed_by": "tok-signed", "signed_at": "2026-03-01", "method": "paper"}
    sent = {"consent": consent, "record": record}
    assert (await world.call("POST", f"cases/{number}/consents", json=sent)).status_code == HTTPStatus.CREATED

    first = await erase(world, number)
    before = world.everything()
    again = await erase(world, number)

    assert (first.json()["erased_before"], again.json()["erased_before"]) == (False, True)
    assert first.json()["consents_ended"] == 1
    assert first.json()["erased_at"] == again.json()["erased_at"]
    assert world.everything() == before
    assert [said["type"] for said in world.spoken()][2:] == ["consent.withdrawn.v1", "person.erased.v1"]
    assert world.rows("SELECT count(*) FROM vault.person_keys") == [(0,)]
    assert not any(telling in str(opened(world)) for telling in TELLING)
    assert world.rows("SELECT service_code, district, status, cell, sealed, record FROM cases") == [
        ("no-heat", "north", "open", None, {}, None)
    ]
    text = (await world.client.get(f"/status/{token}")).text
    assert "What you told us has been erased." in text
    assert "/withdraw" not in text
    held = (await world.call("GET", f"persons/{number}", STAFF)).json()
    assert held["person"] is None
    assert held["consents"][0]["record"] is None


async def test_what_was_sent_before_under_a_key_opens_nothing_again_not_even_after_a_day(world: World) -> None:
    number, _ = await filed(world, key="k")
    await erase(world, number)

    responses = [await world.file(REPORT, key="k")]
    world.rows("UPDATE idempotency_keys SET created_at = created_at - %s", timedelta(hours=25))
    responses.append(await world.file(REPORT, key="k"))

    assert {response.status_code for response in responses} == {HTTPStatus.GONE}
    assert world.count()["cases"] == 1
    assert world.count()["vault.person_keys"] == 0


async def test_an_imported_row_that_comes_again_opens_nothing(world: World) -> None:
    await world.import_all([RECORD])
    ((number,),) = world.rows("SELECT service_request_id FROM cases")
    await erase(world, number)

    (result,) = (await world.import_all([RECORD])).json()["results"]

    assert result["outcome"] == "duplicate"
    assert world.count()["cases"] == 1
    assert world.count()["vault.person_keys"] == 0
    assert not any(telling in str(opened(world)) for telling in TELLING)


async def test_what_routing_says_again_brings_nothing_back(world: World) -> None:
    number, _ = await filed(world)
    ((case_id,),) = world.rows("SELECT case_id FROM cases")
    await erase(world, number)

    await world.hear(CaseResolved(case_id=case_id, resolution="completed", submitted_at=NOON, resolved_at=NOON + HOUR))

    assert world.rows("SELECT status, cell, sealed FROM cases") == [("closed", None, {})]
    assert not any(telling in str(opened(world)) for telling in TELLING)


async def test_whoever_nobody_was_told_of_is_erased_without_a_word(world: World) -> None:
    (said,) = (await world.file(form(service_code="violence", **{"attribute[scope]": ""}))).json()

    response = await erase(world, said["service_request_id"])

    assert response.status_code == HTTPStatus.OK
    assert world.spoken() == []
    assert world.rows("SELECT unsaid, announced FROM cases") == [(None, False)]


async def test_an_erasure_has_to_be_confirmed_by_somebody_who_may(world: World) -> None:
    number, _ = await filed(world)

    unconfirmed = await erase(world, number, confirm="26-00000000")
    not_entitled = await erase(world, number, key=KEY)
    world.rows("UPDATE api_keys SET scopes = '{erase}'")
    world.context.keys._callers = None
    world.context.keys.first_key = None
    entitled = await erase(world, number, key=KEY)

    assert unconfirmed.status_code == HTTPStatus.BAD_REQUEST
    assert not_entitled.status_code == HTTPStatus.FORBIDDEN
    assert entitled.status_code == HTTPStatus.OK


async def test_a_table_that_refuses_leaves_the_person_as_they_were(world: World) -> None:
    number, _ = await filed(world)
    world.rows("ALTER TABLE outbox ADD CONSTRAINT no_erasure CHECK (event_type <> 'person.erased.v1')")

    response = await erase(world, number)

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert world.count()["vault.person_keys"] == 1
    assert world.rows("SELECT erased_at FROM cases") == [(None,)]
