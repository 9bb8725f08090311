"""The case of an imported record has the record's times, and its work as recorded referrals."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.import_record import (
    FollowOn,
    ImportNote,
    ImportRecord,
    ReadableRecord,
    UnreadableRecord,
    case_from_record,
    personal_of,
    read_record,
)
from services.intake.domain.new_case import CaseIdentifiers, NewCase, SealedPerson, submitted_event_json
from shared.events.fields import FieldGroup, Released
from shared.events.intake import CaseSubmitted, Origin, Place
from tests.builders import HOUR, NOON
from tests.unit.intake.fixtures import CELL, INTAKE_CITY

CASE = UUID(int=7)


def record(**said: Any) -> ImportRecord:
    given: dict[str, Any] = {
        "external_id": "A-1",
        "service_code": "violence",
        "description": "Noise",
        "requested_at": NOON,
        "status": "open",
        "source_agency": "NYPD",
        "channel": "PHONE",
    }
    return ImportRecord(**(given | said))


def readable(given: ImportRecord) -> ReadableRecord:
    found = read_record(given, INTAKE_CITY)
    assert isinstance(found, ReadableRecord)
    return found


def filed(given: ImportRecord) -> NewCase:
    identity = CaseIdentifiers(CASE, "26-00000001", b"hash")
    return case_from_record(readable(given), identity, SealedPerson(UUID(int=8), b"key", {}), "town-311", INTAKE_CITY)


def said(given: ImportRecord) -> CaseSubmitted:
    return CaseSubmitted.model_validate_json(submitted_event_json(filed(given)))


def follow_on(number: int, **said: Any) -> FollowOn:
    given = {"external_id": f"A-1-{number}", "service_code": "noise", "description": "x", "source_agency": "DOT"}
    return FollowOn(**(given | {"opened_at": NOON + number * HOUR} | said))


def test_a_record_has_its_own_time_and_says_where_it_came_from() -> None:
    event = said(record())

    assert event.submitted_at == NOON
    assert event.origin == Origin(channel="import", source="town-311", external_id="A-1")
    assert event.service_request_id == "26-00000001"


def test_an_open_record_is_live() -> None:
    case = filed(record())

    assert case.import_status.status == "open"
    assert [(each.opened_at, each.closed_at) for each in case.recorded] == [(NOON, None)]


def test_a_record_has_one_need_of_its_own_and_one_for_each_follow_on() -> None:
    given = record(
        status="closed",
        closed_at=NOON + 9 * HOUR,
        first_answered_at=NOON + HOUR,
        follow_ons=(follow_on(1, closed_at=NOON + 2 * HOUR), follow_on(2)),
    )

    event = said(given)

    assert [need.need for need in event.needs] == ["safety", "quiet", "quiet"]
    assert len({need.need_id for need in event.needs}) == 3
    assert [need.need_id for need in event.needs] == [each.need_id for each in event.recorded]
    assert [(each.opened_at, each.answered_at, each.closed_at) for each in event.recorded] == [
        (NOON, NOON + HOUR, NOON + 9 * HOUR),
        (NOON + HOUR, None, NOON + 2 * HOUR),
        (NOON + 2 * HOUR, None, NOON + 9 * HOUR),
    ]


def test_a_closed_record_without_a_date_ended_at_the_latest_time_in_it() -> None:
    note = ImportNote(at=NOON + 3 * HOUR, kind="activity", summary="Done")

    case = filed(record(status="closed", notes=(note,)))

    assert case.import_status.closed_at == NOON + 3 * HOUR
    assert case.recorded[0].closed_at == NOON + 3 * HOUR


def test_a_record_that_closes_before_it_opens_keeps_both_times() -> None:
    case = filed(record(status="closed", closed_at=NOON - HOUR))

    assert case.recorded[0].closed_at == NOON - HOUR
    assert (case.import_status.closed_at, case.import_status.updated_at) == (NOON - HOUR, NOON)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"lat": 40.7, "long": -73.9}, Place(cell=CELL, district="north")),
        ({"lat": 40.7, "long": -73.9, "district": "South End"}, Place(cell=CELL, district="north")),
        ({"lat": 1.0, "long": 1.0, "district": "South End"}, Place(cell="887541ad5bfffff", district="south")),
        ({"district": "THE NORTH"}, Place(district="north")),
        ({"district": "Atlantis"}, Place()),
        ({}, Place()),
    ],
)
def test_a_point_decides_where_a_record_is_about_else_its_district(given: dict[str, Any], place: Place) -> None:
    assert filed(record(**given)).place == place


def test_a_record_with_an_unknown_service_is_refused_and_so_is_one_with_such_a_follow_on() -> None:
    assert read_record(record(service_code="gold"), INTAKE_CITY) == UnreadableRecord(
        "A-1", "service_code gold is not in the catalogue"
    )
    unknown = record(follow_ons=(follow_on(1, service_code="gold"),))
    assert isinstance(read_record(unknown, INTAKE_CITY), UnreadableRecord)
    assert isinstance(read_record(record(external_id="a\x01b"), INTAKE_CITY), UnreadableRecord)


def test_what_a_record_says_of_people_is_in_field_groups() -> None:
    given = record(address="1 Elm St", postal_code="10001", lat=1.5, long=2.5, attributes={"pole": "7"})

    opened = {group: plain.decode() for group, plain in personal_of(readable(given)).items()}

    assert set(opened) == {FieldGroup.ADDRESS, FieldGroup.NARRATIVE}
    joined = ",".join(f'"{group.value}":{plain}' for group, plain in opened.items())
    released = Released.model_validate_json("{" + joined + "}")
    assert released.address is not None
    assert (released.address.address, released.address.lat) == ("1 Elm St", 1.5)
    assert released.narrative is not None
    assert released.narrative.attributes == {"pole": ("7",)}


def test_what_a_record_says_is_in_the_group_that_its_service_s_question_names() -> None:
    opened = personal_of(readable(record(attributes={"since": "May", "pole": "7"})))

    assert opened[FieldGroup.VICTIM_SERVICES] == b'{"answers":{"since":["May"]}}'
    assert b"May" not in opened[FieldGroup.NARRATIVE]


def test_a_record_without_a_time_zone_is_no_record() -> None:
    with pytest.raises(ValueError, match="timezone"):
        record(requested_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    assert record(requested_at=datetime(2026, 1, 1, tzinfo=UTC))
