"""The JSON of CaseSubmitted, written without the model, is what the model writes."""

import json
from datetime import datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.new_case import (
    CASE_SUBMITTED,
    CaseIdentifiers,
    NewCase,
    SealedPerson,
    case_from_report,
    service_request_id,
    submitted_event_json,
)
from services.intake.domain.report import Report, read_report
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Origin, Place, RecordedReferral
from shared.events.topics import CASES
from shared.events.wire import derived_id, event_id
from tests.builders import HOUR, NOON
from tests.unit.intake.fixtures import INTAKE_CITY, form

IDENTITY = CaseIdentifiers(UUID(int=1), "26-00000001", b"hash")
SEALED = SealedPerson(UUID(int=2), b"key", {FieldGroup.ADDRESS: "abc", FieldGroup.CONTACT: "d+/="})


def filed() -> NewCase:
    report = read_report(form(need="company"), INTAKE_CITY, NOON)
    assert isinstance(report, Report)
    return case_from_report(report, IDENTITY, SEALED, Origin(channel="web"), NOON)


def read(case: NewCase) -> CaseSubmitted:
    event = CASES.events.validate_json(submitted_event_json(case))
    assert isinstance(event, CaseSubmitted)
    return event


def test_a_report_is_announced_in_the_published_language() -> None:
    event = read(filed())

    assert event.case_id == UUID(int=1)
    assert [need.need for need in event.needs] == ["housing", "company"]
    assert event.sealed == SEALED.blocks
    assert event.submitted_at == NOON


def test_it_is_written_as_the_model_writes_it() -> None:
    case = filed()

    assert json.loads(submitted_event_json(case)) == json.loads(read(case).model_dump_json())
    assert json.loads(submitted_event_json(case)).keys() == CaseSubmitted.model_fields.keys()


@given(
    moment=st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(timezone(timedelta(hours=-5)))),  # noqa: DTZ001
    name=st.text(max_size=30).filter(lambda name: name.isprintable()),
)
def test_any_time_and_name_are_written_as_the_model_writes_them(moment: datetime, name: str) -> None:
    recorded = RecordedReferral(need_id=UUID(int=3), opened_at=moment, answered_at=moment + HOUR)
    case = NewCase(
        identity=IDENTITY,
        service_code="no-heat",
        needs=((UUID(int=3), "housing"),),
        place=Place(),
        urgency="routine",
        language="en",
        origin=Origin(channel="import", source="town-311", external_id=name),
        submitted_at=moment,
        sealed=SEALED,
        protected=False,
        recorded=(recorded,),
    )

    assert json.loads(submitted_event_json(case)) == json.loads(read(case).model_dump_json())


def test_its_id_is_that_of_the_event() -> None:
    event = read(filed())

    assert derived_id(event.case_id, CASES.topic, CASE_SUBMITTED, "") == event_id(event.case_id, CASES.topic, event)


def test_a_number_names_the_year_and_counts() -> None:
    assert service_request_id(12345, NOON) == "26-00012345"
