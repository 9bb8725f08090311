"""A report is read completely, or refused with every problem."""

import json
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.report import Report, read_report
from services.intake.domain.validation import Refusal
from shared.events.fields import GROUP_MODELS, FieldGroup, Released
from shared.events.intake import Place
from tests.builders import NOON
from tests.unit.intake.fixtures import CELL, INTAKE_CITY, form, without


def taken(**fields: str) -> Report:
    report = read_report(form(**fields), INTAKE_CITY, NOON)
    assert isinstance(report, Report), report
    return report


def reasons(fields: dict[str, list[str]]) -> list[str]:
    refusal = read_report(fields, INTAKE_CITY, NOON)
    assert isinstance(refusal, Refusal)
    return [problem.description for problem in refusal.problems]


def test_a_report_knows_its_service_its_needs_and_roughly_where_it_is() -> None:
    report = taken()

    assert report.service.code == "no-heat"
    assert report.needs == ("housing",)
    assert report.place == Place(cell=CELL, district="north")


def test_a_report_may_carry_needs_besides_its_service_s_own_each_once() -> None:
    fields = form() | {"need": ["company,housing", "quiet"]}

    report = read_report(fields, INTAKE_CITY, NOON)

    assert isinstance(report, Report)
    assert report.needs == ("housing", "company", "quiet")


def test_an_unknown_need_is_refused() -> None:
    assert reasons(form(need="riches")) == ["need names something that is not one of the needs of this jurisdiction"]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"service_code": ""}, HTTPStatus.BAD_REQUEST, "service_code is required"),
        ({"service_code": "gold"}, HTTPStatus.NOT_FOUND, "service_code was not found"),
        ({"jurisdiction_id": "elsewhere"}, HTTPStatus.NOT_FOUND, "jurisdiction_id was not found"),
        ({"attribute[scope]": ""}, HTTPStatus.BAD_REQUEST, "attribute[scope] is required"),
        ({"attribute[scope]": "street"}, HTTPStatus.BAD_REQUEST, "attribute[scope] must be of: flat, building"),
        ({"attribute[colour]": "red"}, HTTPStatus.BAD_REQUEST, "attribute[colour] is not a question of this service"),
        ({"attribute[degrees]": "warm"}, HTTPStatus.BAD_REQUEST, "attribute[degrees] must be a number"),
        ({"attribute[degrees]": "inf"}, HTTPStatus.BAD_REQUEST, "attribute[degrees] must be a number"),
        ({"attribute[landlord]": "a\nb"}, HTTPStatus.BAD_REQUEST, "attribute[landlord] must be one line"),
        ({"lat": "91"}, HTTPStatus.BAD_REQUEST, "lat must be a number of degrees from -90 to 90"),
        ({"long": "nan"}, HTTPStatus.BAD_REQUEST, "long must be a number of degrees from -180 to 180"),
        ({"lat": ""}, HTTPStatus.BAD_REQUEST, "lat and long must be given together"),
        ({"email": "nobody"}, HTTPStatus.BAD_REQUEST, "email must be an e-mail address"),
        ({"email": "a@b.org\nBcc: x@y.org"}, HTTPStatus.BAD_REQUEST, "email must be an e-mail address"),
        ({"media_url": "file:///etc"}, HTTPStatus.BAD_REQUEST, "media_url must be a http or https address"),
        ({"description": "x" * 4001}, HTTPStatus.BAD_REQUEST, "description is longer than 4000 characters"),
        ({"description": "\x00"}, HTTPStatus.BAD_REQUEST, "description has control characters"),
        ({"language": "tlh"}, HTTPStatus.BAD_REQUEST, "language must be one of en, es"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, str], status: int, words: str) -> None:
    refusal = read_report(form(**fields), INTAKE_CITY, NOON)

    assert isinstance(refusal, Refusal)
    assert [problem.description for problem in refusal.problems] == [words]
    assert refusal.status == status


def test_a_report_without_any_place_is_refused_and_an_address_alone_will_do() -> None:
    nowhere = without(form(), "lat", "long")

    assert reasons(nowhere) == ["a location is required: lat and long, or address_string, or address_id"]
    assert isinstance(read_report(nowhere | {"address_string": ["1 Elm St"]}, INTAKE_CITY, NOON), Report)
    assert isinstance(read_report(nowhere | {"address_id": ["77"]}, INTAKE_CITY, NOON), Report)


def test_an_address_that_names_a_district_places_the_report_there() -> None:
    report = read_report(
        without(form(), "lat", "long") | {"address_string": ["1 Elm St, the north, 10001"]}, INTAKE_CITY, NOON
    )

    assert isinstance(report, Report)
    assert report.place == Place(district="north")


def test_a_refusal_holds_every_problem() -> None:
    assert len(reasons({"lat": ["x"], "email": ["y"], "phone": ["z"]})) >= 4


def test_a_field_with_one_value_is_not_taken_twice() -> None:
    assert reasons(form() | {"email": ["a@b.org", "c@d.org"]}) == ["email is given more than once"]


def test_an_empty_field_counts_as_absent() -> None:
    assert read_report(form() | {"email": [""], "lat": ["", "40.7"]}, INTAKE_CITY, NOON) != read_report(
        form(), INTAKE_CITY, NOON
    )
    assert read_report(form() | {"email": [""]}, INTAKE_CITY, NOON) == read_report(form(), INTAKE_CITY, NOON)


def test_a_time_without_an_offset_is_the_city_s() -> None:
    report = taken(**{"attribute[since]": "2026-01-15T08:00"})

    answers = json.loads(report.personal[FieldGroup.NARRATIVE])["attributes"]
    assert answers["since"] == ["2026-01-15T08:00:00-05:00"]


def test_a_question_with_several_values_keeps_each_of_them() -> None:
    report = read_report(form() | {"attribute[rooms][]": ["kitchen", "bath", "bath"]}, INTAKE_CITY, NOON)

    assert isinstance(report, Report)
    assert json.loads(report.personal[FieldGroup.NARRATIVE])["attributes"]["rooms"] == ["kitchen", "bath"]
    assert reasons(form() | {"attribute[scope]": ["flat", "building"]}) == ["attribute[scope] has one value only"]


def test_a_report_states_its_own_urgency_where_it_is_asked_for_it() -> None:
    assert taken().urgency == "routine"
    assert taken(**{"attribute[urgency]": "emergency"}).urgency == "emergency"


def test_what_is_personal_is_in_its_field_group_and_readable_by_its_model() -> None:
    report = taken(
        first_name="Ana", email="ana@example.org", description="Cold.", media_url="https://example.org/a.jpg"
    )

    opened = {group.value: json.loads(plain) for group, plain in report.personal.items()}
    released = Released.model_validate(opened)
    assert released.identity is not None
    assert released.identity.first_name == "Ana"
    assert released.contact is not None
    assert released.contact.email == "ana@example.org"
    assert released.address is not None
    assert (released.address.lat, released.address.long) == (40.7, -73.9)
    assert set(opened) == {"address", "identity", "contact", "narrative", "attachments"}


def test_a_report_is_protected_by_its_service_or_by_a_need_that_only_protected_services_have() -> None:
    assert taken().protections == ()
    assert taken(need="safety").protections == (FieldGroup.VICTIM_SERVICES,)
    assert taken(service_code="violence", **{"attribute[scope]": ""}).protections == (FieldGroup.VICTIM_SERVICES,)


@given(st.dictionaries(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=3), max_size=8))
def test_no_form_whatsoever_breaks_the_reading(fields: dict[str, list[str]]) -> None:
    assert isinstance(read_report(fields, INTAKE_CITY, NOON), Report | Refusal)


@given(st.text(max_size=40))
def test_no_value_is_repeated_to_the_caller(value: str) -> None:
    canary = f"canary{value}"
    refusal = read_report(form(email=canary, lat=canary, **{"attribute[scope]": canary}), INTAKE_CITY, NOON)

    assert isinstance(refusal, Refusal)
    assert "canary" not in repr([problem.description for problem in refusal.problems])


def test_an_answer_is_in_the_group_that_its_question_names() -> None:
    report = taken(**{"attribute[asthma]": "yes", "attribute[children]": "2", "attribute[elders]": "1"})

    assert json.loads(report.personal[FieldGroup.HEALTH]) == {"answers": {"asthma": ["yes"]}}
    assert json.loads(report.personal[FieldGroup.HOUSEHOLD]) == {"answers": {"children": ["2"], "elders": ["1"]}}
    assert json.loads(report.personal[FieldGroup.NARRATIVE]) == {"attributes": {"scope": ["flat"]}}
    for group, plain in report.personal.items():
        GROUP_MODELS[group].model_validate_json(plain)
