"""Records of another system go in many at once, each once, and one that is wrong holds up no other."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.builders import HOUR, NOON
from tests.service.intake.world import World

pytestmark = pytest.mark.servers


def record(number: int, **said: Any) -> dict[str, Any]:
    given = {
        "external_id": f"A-{number}",
        "service_code": "noise",
        "description": "Planted words",
        "address": "9 Planted Lane",
        "requested_at": NOON.isoformat(),
        "status": "open",
        "source_agency": "NYPD",
        "channel": "PHONE",
        "notes": [{"at": NOON.isoformat(), "kind": "activity", "summary": "Planted note"}],
    }
    return given | said


def outcomes(response: Any) -> list[str]:
    return [result["outcome"] for result in response.json()["results"]]


async def test_a_record_becomes_a_case_with_its_own_time(world: World) -> None:
    closed = record(1, status="closed", closed_at=(NOON + HOUR).isoformat())

    response = await world.import_all([closed, record(2)])

    assert response.status_code == HTTPStatus.OK
    assert outcomes(response) == ["created", "created"]
    events = world.submitted()
    assert [event.origin.external_id for event in events] == ["A-1", "A-2"]
    assert [event.recorded[0].closed_at for event in events] == [NOON + HOUR, None]
    assert world.unseal(events[0])["narrative"] == {"description": "Planted words"}
    rows = world.rows("SELECT status, submitted_at, updated_at, closed_at FROM cases ORDER BY external_id")
    assert rows == [("closed", NOON, NOON + HOUR, NOON + HOUR), ("open", NOON, NOON, None)]
    assert "lanted" not in str(world.everything())


async def test_what_else_a_record_says_is_kept_sealed(world: World) -> None:
    await world.import_all([record(1)])

    ((person_id, sealed),) = world.rows("SELECT person_id, record FROM cases")
    ((wrapped,),) = world.rows("SELECT wrapped FROM vault.person_keys")
    person = world.context.vault.unwrap(person_id, wrapped)
    opened = world.context.vault.open(person, next(iter(world.submitted()[0].sealed)).NARRATIVE, sealed)
    assert b"Planted note" in opened


async def test_a_record_goes_in_once_however_often_it_is_handed_in(world: World) -> None:
    first = await world.import_all([record(1), record(1), record(2)])
    again = await world.import_all([record(2), record(3)])
    of_another = await world.import_all([record(2)], source="other-311")

    assert outcomes(first) == ["created", "duplicate", "created"]
    assert outcomes(again) == ["duplicate", "created"]
    assert outcomes(of_another) == ["created"]
    assert len(world.submitted()) == world.rows("SELECT count(*) FROM vault.person_keys")[0][0] == 4


async def test_one_bad_record_is_refused_with_its_reason_and_the_others_go_in(world: World) -> None:
    bad = [record(2, service_code="gold"), record(3, lat=100), {"external_id": "A-4"}, "nonsense"]

    response = await world.import_all([record(1), *bad, record(5)])

    results = response.json()["results"]
    assert outcomes(response) == ["created", "refused", "refused", "refused", "refused", "created"]
    assert results[1]["reason"] == "service_code gold is not in the catalogue"
    assert results[2]["reason"].startswith("lat: ")
    assert [result["external_id"] for result in results] == ["A-1", "A-2", "A-3", "A-4", "", "A-5"]


async def test_what_is_doubtful_is_remarked_on_and_taken_in(world: World) -> None:
    response = await world.import_all([record(1, status="closed", closed_at=(NOON - HOUR).isoformat(), address=None)])

    (result,) = response.json()["results"]
    assert result["outcome"] == "created"
    assert set(result["remarks"]) == {"closed before it was opened", "no address", "no coordinates"}


async def test_an_import_that_fails_leaves_nothing_behind(world: World) -> None:
    world.rows("ALTER TABLE outbox ADD CONSTRAINT nothing_fits CHECK (false)")

    response = await world.import_all([record(1)])

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert set(world.count().values()) == {0}


async def test_an_imported_case_is_found_by_everybody_at_its_own_date(world: World) -> None:
    await world.import_all([record(1, status="closed", closed_at=(NOON + HOUR).isoformat())])

    (row,) = await world.get("requests.json", start_date="2026-03-01T00:00:00Z")

    assert (row["status"], row["requested_datetime"]) == ("closed", "2026-03-02T12:00:00Z")
    assert row["updated_datetime"] == "2026-03-02T13:00:00Z"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"{"}, 400),
        ({"json": []}, 400),
        ({"json": {"records": {}}}, 400),
        ({"json": {"records": [{}] * 501}}, 413),
        ({"content": b"x" * 17_000_000}, 413),
    ],
)
async def test_a_body_that_holds_no_records_is_refused(world: World, sent: dict[str, Any], status: int) -> None:
    headers = {"Authorization": "Bearer the-key-of-the-tests"}

    response = await world.client.post("/imports/town-311", headers=headers, **sent)

    assert response.status_code == status
    assert response.json()[0]["code"] == status


async def test_only_a_key_for_imports_imports(world: World) -> None:
    await world.import_all([])
    world.rows("UPDATE api_keys SET scopes = '{file}'")

    without = await world.client.post("/imports/town-311", json={"records": []})
    async with World.open(world.own) as other:
        other.context.keys.first_key = None
        for_filing = await other.import_all([])

    assert without.status_code == for_filing.status_code == HTTPStatus.FORBIDDEN
    assert (await world.import_all([], source="No Such_Source")).status_code == HTTPStatus.NOT_FOUND
