"""Each published event has a closed schema, and an example that keeps to it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from deploy.contract.catalogue import EventContract, published
from deploy.contract.documents import example_messages
from deploy.contract.headers import headers_expected, headers_written
from deploy.contract.schemas import schema_of
from shared.events.topics import AGENCY_UPDATES
from shared.events.wire import read_envelope, read_event, schema_uri

EVENTS = list(published())
EXAMPLES = example_messages()
NAMES = [said.name for said in EVENTS]


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Go through every part of a schema that names fields."""
    if isinstance(schema, dict):
        if "properties" in schema and isinstance(schema["properties"], dict):
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


@pytest.mark.parametrize("said", EVENTS, ids=NAMES)
def test_a_schema_is_a_schema_and_is_named_as_messages_name_it(said: EventContract) -> None:
    schema = schema_of(said)

    assert jsonschema_rs.meta.is_valid(schema)
    assert schema["$id"] == schema_uri(said.language.topic, said.event_type)
    assert schema["properties"]["type"]["const"] == said.event_type
    assert "type" in schema["required"]


@pytest.mark.parametrize("said", EVENTS, ids=NAMES)
def test_writers_may_write_nothing_that_a_schema_does_not_name(said: EventContract) -> None:
    assert all(part["additionalProperties"] is False for part in objects(schema_of(said)))


@pytest.mark.parametrize("said", EVENTS, ids=NAMES)
def test_an_example_keeps_to_its_schema_and_is_read(said: EventContract) -> None:
    message = EXAMPLES[said.name]
    validator(schema_of(said)).validate(message["value"])

    envelope = read_envelope((name, value.encode()) for name, value in message["headers"].items())
    event = read_event(said.language, envelope, json.dumps(message["value"]).encode())

    assert type(event) is said.model
    assert json.loads(event.model_dump_json()) == message["value"]


@pytest.mark.parametrize("said", EVENTS, ids=NAMES)
def test_an_example_s_headers_are_as_described(said: EventContract) -> None:
    headers = EXAMPLES[said.name]["headers"]

    validator(headers_expected() if said.language is AGENCY_UPDATES else headers_written()).validate(headers)


def test_a_schema_refuses_a_field_too_many_also_deep_inside() -> None:
    said = next(said for said in EVENTS if said.name == "agency.inbox/referral.requested.v1")
    value = json.loads(json.dumps(EXAMPLES[said.name]["value"]))
    value["released"]["address"]["door_code"] = "1234"

    assert not validator(schema_of(said)).is_valid(value)


def test_a_schema_refuses_an_event_without_its_type() -> None:
    said = EVENTS[0]
    value = {name: field for name, field in EXAMPLES[said.name]["value"].items() if name != "type"}

    assert not validator(schema_of(said)).is_valid(value)


def test_no_example_names_a_person() -> None:
    assert all(message["value"].get("released", {}).get("identity") is None for message in EXAMPLES.values())
