"""A released schema may gain optional fields. Whatever else changes is seen, and stops the check."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest

from deploy.contract.compatibility import breaking_changes
from deploy.contract.documents import event_schemas

EVENT = "intake.cases/case.submitted.v1"
Schema = dict[str, Any]
Change = Callable[[Schema], None]


def changes(change: Change) -> list[str]:
    """Change the schema of one event, and say what breaks."""
    released = event_schemas()
    current = deepcopy(released)
    change(current[EVENT])
    return list(breaking_changes(released, current))


def covers(change: Change) -> bool:
    """Ask a prover whether everything that was valid still is."""
    released = event_schemas()[EVENT]
    current = deepcopy(released)
    change(current)
    verdict = jsonschema_rs.canonicalize(current).covers(jsonschema_rs.canonicalize(released))
    return verdict is jsonschema_rs.canonical.Containment.YES


def remove(schema: Schema) -> None:
    del schema["properties"]["language"]


def remove_deep_inside(schema: Schema) -> None:
    del schema["$defs"]["Origin"]["properties"]["external_id"]


def retype(schema: Schema) -> None:
    schema["properties"]["service_request_id"] = {"type": "integer"}


def retype_deep_inside(schema: Schema) -> None:
    schema["$defs"]["Need"]["properties"]["need"]["type"] = "integer"


def require_a_new_field(schema: Schema) -> None:
    schema["properties"]["severity"] = {"type": "string"}
    schema["required"].append("severity")


def require_an_old_field(schema: Schema) -> None:
    schema["required"].append("urgency")


def narrow_the_values(schema: Schema) -> None:
    schema["properties"]["urgency"]["enum"].remove("urgent")


def forbid_null(schema: Schema) -> None:
    schema["properties"]["person_id"] = {"type": "string", "format": "uuid"}


def shorten(schema: Schema) -> None:
    schema["properties"]["service_code"]["maxLength"] = 8


NARROWER: dict[Change, str] = {
    remove: "language: the field has been removed",
    remove_deep_inside: "origin.external_id: the field has been removed",
    retype: "service_request_id: its type was 'string' and is 'integer'",
    retype_deep_inside: "needs[].need: its type was 'string' and is 'integer'",
    require_a_new_field: "severity: the field is new and required",
    require_an_old_field: "urgency: the field has become required",
    narrow_the_values: "urgency: the value 'urgent' has been removed",
    forbid_null: "person_id: its anyOf was",
    shorten: "service_code: its maxLength was 64 and is 8",
}


def make_optional(schema: Schema) -> None:
    schema["required"].remove("service_code")


def widen_the_values(schema: Schema) -> None:
    schema["properties"]["urgency"]["enum"].append("yesterday")


def allow_longer(schema: Schema) -> None:
    schema["properties"]["service_code"]["maxLength"] = 500


def change_a_default(schema: Schema) -> None:
    schema["properties"]["urgency"]["default"] = "urgent"


WIDER: dict[Change, str] = {
    make_optional: "service_code: the field has become optional",
    widen_the_values: "urgency: the value 'yesterday' is new",
    allow_longer: "service_code: its maxLength was 64 and is 500",
    change_a_default: "urgency: its default was 'routine' and is 'urgent'",
}


def add_an_optional_field(schema: Schema) -> None:
    schema["properties"]["severity"] = {"type": "string", "default": "unknown"}


def add_an_optional_field_deep_inside(schema: Schema) -> None:
    schema["$defs"]["Need"]["properties"]["since"] = {"type": "string"}


def explain_better(schema: Schema) -> None:
    schema["description"] = "A report has come in."
    schema["properties"]["urgency"]["description"] = "How soon it is needed."


def rename_a_definition(schema: Schema) -> None:
    schema["$defs"]["Where"] = schema["$defs"].pop("Place")
    schema["properties"]["place"]["$ref"] = "#/$defs/Where"


HARMLESS = (add_an_optional_field, add_an_optional_field_deep_inside, explain_better, rename_a_definition)


@pytest.mark.parametrize("change", NARROWER, ids=lambda change: change.__name__)
def test_what_makes_old_messages_invalid_is_seen_and_proved(change: Change) -> None:
    assert any(found.startswith(f"{EVENT}: {NARROWER[change]}") for found in changes(change))
    assert not covers(change)


@pytest.mark.parametrize("change", WIDER, ids=lambda change: change.__name__)
def test_what_readers_of_the_released_schema_would_not_understand_is_seen(change: Change) -> None:
    assert changes(change) == [f"{EVENT}: {WIDER[change]}"]


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_a_harmless_change_is_let_through_and_proved(change: Change) -> None:
    assert changes(change) == []
    assert covers(change)


def test_an_event_that_is_gone_is_seen() -> None:
    released = event_schemas()
    current = {name: schema for name, schema in released.items() if name != EVENT}

    assert list(breaking_changes(released, current)) == [f"{EVENT}: the event has been removed"]


def test_a_new_event_is_welcome() -> None:
    current = event_schemas()
    released = {name: schema for name, schema in current.items() if name != EVENT}

    assert list(breaking_changes(released, current)) == []
