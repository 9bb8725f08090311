"""Records of another system are imported in one request, each once; an invalid one stops no other."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.builders import HOUR, NOON
from tests.service.intake.harness import IntakeHarness

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


async def test_a_record_becomes_a_case_with_its_own_time(harness: IntakeHarness) -> None:
    closed = record(1, status="closed", closed_at=(NOON + HOUR).isoformat())

    response = await harness.import_all([closed, record(2)])

    assert response.status_code == HTTPStatus.OK
    assert outcomes(response) == ["created", "created"]
    events = harness.submitted()
    assert [event.origin.external_id for event in events] == ["A-1", "A-2"]
    assert [event.recorded[0].closed_at for event in events] == [NOON + HOUR, None]
    assert harness.unseal(events[0])["narrative"] == {"description": "Planted words"}
    rows = harness.rows("SELECT status, submitted_at, updated_at, closed_at FROM cases ORDER BY external_id")
    assert rows == [("closed", NOON, NOON + HOUR, NOON + HOUR), ("open", NOON, NOON, None)]
    assert "lanted" not in str(harness.snapshot())


async def test_the_words_of_a_record_s_source_are_stored_sealed(harness: IntakeHarness) -> None:
    await harness.import_all([record(1)])

    ((person_id, sealed),) = harness.rows("SELECT person_id, record FROM cases")
    ((wrapped,),) = harness.rows("SELECT wrapped FROM vault.person_keys")
    person = harness.context.vault.unwrap(person_id, wrapped)
    opened = harness.context.vault.open(person, next(iter(harness.submitted()[0].sealed)).NARRATIVE, sealed)
    assert b"Planted note" in opened


async def test_a_record_goes_in_once_however_often_it_is_handed_in(harness: IntakeHarness) -> None:
    first = await harness.import_all([record(1), record(1), record(2)])
    again = await harness.import_all([record(2), record(3)])
    of_another = await harness.import_all([record(2)], source="other-311")

    assert outcomes(first) == ["created", "duplicate", "created"]
    assert outcomes(again) == ["duplicate", "created"]
    assert outcomes(of_another) == ["created"]
    assert len(harness.submitted()) == harness.rows("SELECT count(*) FROM vault.person_keys")[0][0] == 4


async def test_one_bad_record_is_refused_with_its_reason_and_the_others_go_in(harness: IntakeHarness) -> None:
    bad = [record(2, service_code="gold"), record(3, lat=100), {"external_id": "A-4"}, "nonsense"]

    response = await harness.import_all([record(1), *bad, record(5)])

    results = response.json()["results"]
    assert outcomes(response) == ["created", "refused", "refused", "refused", "refused", "created"]
    assert results[1]["reason"] == "service_code gold is not in the catalogue"
    assert results[2]["reason"].startswith("lat: ")
    assert [result["external_id"] for result in results] == ["A-1", "A-2", "A-3", "A-4", "", "A-5"]


async def test_what_is_doubtful_is_remarked_on_and_taken_in(harness: IntakeHarness) -> None:
    response = await harness.import_all([record(1, status="closed", closed_at=(NOON - HOUR).isoformat(), address=None)])

    (result,) = response.json()["results"]
    assert result["outcome"] == "created"
    assert set(result["remarks"]) == {"closed before it was opened", "no address", "no coordinates"}


async def test_an_import_that_fails_leaves_nothing_behind(harness: IntakeHarness) -> None:
    harness.rows("ALTER TABLE outbox ADD CONSTRAINT nothing_fits CHECK (false)")

    response = await harness.import_all([record(1)])

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert set(harness.count().values()) == {0}


async def test_an_imported_case_is_found_by_everybody_at_its_own_date(harness: IntakeHarness) -> None:
    await harness.import_all([record(1, status="closed", closed_at=(NOON + HOUR).isoformat())])

    (row,) = await harness.get("requests.json", start_date="2026-03-01T00:00:00Z")

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
async def test_a_body_that_holds_no_records_is_refused(
    harness: IntakeHarness, sent: dict[str, Any], status: int
) -> None:
    headers = {"Authorization": "Bearer the-key-of-the-tests"}

    response = await harness.client.post("/imports/town-311", headers=headers, **sent)

    assert response.status_code == status
    assert response.json()[0]["code"] == status


async def test_only_a_key_for_imports_imports(harness: IntakeHarness) -> None:
    await harness.import_all([])
    harness.rows("UPDATE api_keys SET scopes = '{file}'")

    without = await harness.client.post("/imports/town-311", json={"records": []})
    async with IntakeHarness.open(harness.own) as other:
        other.context.keys.first_key = None
        for_filing = await other.import_all([])

    assert without.status_code == for_filing.status_code == HTTPStatus.FORBIDDEN
    assert (await harness.import_all([], source="No Such_Source")).status_code == HTTPStatus.NOT_FOUND
