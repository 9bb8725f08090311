"""The same answer in JSON and XML, as Open311 writes them."""

import json

from defusedxml import ElementTree

from services.intake.domain.validation import Problem, Refusal
from services.intake.http.api.open311_answers import discovery_document, service_definition, service_list_item
from services.intake.http.api.resource import Format, refuse, render
from tests.unit.intake.fixtures import HEAT, INTAKE_CITY, NOISE


def test_json_has_no_outermost_name_and_real_booleans() -> None:
    rows = json.loads(render(Format.JSON, "services", [service_list_item(HEAT)]))

    assert rows[0]["metadata"] is True
    assert rows[0]["keywords"] == "heat, cold"


def test_xml_has_a_declaration_and_an_element_for_each_item() -> None:
    text = render(Format.XML, "services", [service_list_item(HEAT), service_list_item(NOISE)]).decode()

    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    root = ElementTree.fromstring(text)
    assert root.tag == "services"
    assert [child.tag for child in root] == ["service", "service"]
    assert [child.findtext("metadata") for child in root] == ["true", "false"]
    assert root[1].findtext("service_name") == "Noise & din"


def test_a_definition_lists_its_questions_and_their_choices() -> None:
    root = ElementTree.fromstring(render(Format.XML, "service_definition", service_definition(HEAT)))

    assert root.findtext("service_code") == "no-heat"
    assert [value.findtext("key") for value in root.findall("attributes/attribute/values/value")][:2] == [
        "flat",
        "building",
    ]
    assert root.findtext("attributes/attribute/order") == "1"
    said = json.loads(render(Format.JSON, "service_definition", service_definition(HEAT)))
    assert said["attributes"][0]["required"] is True
    assert said["attributes"][0]["values"][0] == {"key": "flat", "name": "Flat"}


def test_discovery_names_endpoint_and_formats_in_both_forms() -> None:
    said = discovery_document(INTAKE_CITY, "https://311.example.org")
    root = ElementTree.fromstring(render(Format.XML, "discovery", said))

    assert root.findtext("endpoints/endpoint/url") == "https://311.example.org/open311/v2"
    assert [each.text for each in root.findall("endpoints/endpoint/formats/format")] == [
        "text/xml",
        "application/json",
    ]
    assert json.loads(render(Format.JSON, "discovery", said))["endpoints"][0]["type"] == "production"


def test_what_is_unknown_is_null_in_json_and_empty_in_xml() -> None:
    assert render(Format.JSON, "request", {"address": None}) == b'{"address":null}'
    assert render(Format.XML, "request", {"address": None}).endswith(b"<request><address/></request>")


def test_errors_are_a_list_of_codes_and_descriptions() -> None:
    refusal = Refusal((Problem(400, "lat < 90"), Problem(404, "none")))

    as_json, as_xml = refuse(Format.JSON, refusal), refuse(Format.XML, refusal)

    assert json.loads(bytes(as_json.body)) == [
        {"code": 400, "description": "lat < 90"},
        {"code": 404, "description": "none"},
    ]
    assert as_json.headers["content-type"] == "application/json; charset=utf-8"
    assert as_xml.headers["content-type"] == "text/xml; charset=utf-8"
    root = ElementTree.fromstring(bytes(as_xml.body))
    assert [(error.findtext("code"), error.findtext("description")) for error in root] == [
        ("400", "lat < 90"),
        ("404", "none"),
    ]
    assert as_json.status_code == as_xml.status_code == 404
