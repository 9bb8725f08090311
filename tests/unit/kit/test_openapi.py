"""The OpenAPI schema of an answer is what the answer looks like."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import jsonschema_rs
import pytest
import yaml
from pydantic import Field

from shared.kit.http.openapi import (
    Responses,
    component_schemas,
    expanded_schema,
    inline_schema,
    reference,
    write_yaml,
)
from shared.kit.http.replies import JsonAnswer, to_json


class Line(JsonAnswer):
    """A part of an answer."""

    at: datetime
    kind: Literal["open", "closed"]


class Sheet(JsonAnswer):
    """An answer."""

    id: UUID
    name: str | None = Field(description="its name")
    ended_at: datetime | None
    only: Literal["x"]
    lines: list[Line] | None = None
    last: Line | None = None


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINE = Line(at=NOON, kind="open")
EMPTY = Sheet(id=UUID(int=1), name=None, ended_at=None, only="x")
FULL = Sheet(id=UUID(int=1), name="n", ended_at=NOON, only="x", lines=[LINE], last=LINE)


def test_a_schema_stands_in_one_piece_without_titles() -> None:
    line = {
        "type": "object",
        "required": ["at", "kind"],
        "properties": {"at": {"type": "string", "format": "date-time"}, "kind": {"enum": ["open", "closed"]}},
        "additionalProperties": False,
    }
    assert inline_schema(Sheet) == {
        "type": "object",
        "required": ["id", "name", "ended_at", "only"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "name": {"type": ["string", "null"], "description": "its name"},
            "ended_at": {"type": ["string", "null"], "format": "date-time"},
            "only": {"enum": ["x"]},
            "lines": {"type": "array", "items": line},
            "last": line,
        },
        "additionalProperties": False,
    }


@pytest.mark.parametrize("answer", [EMPTY, FULL])
def test_an_answer_is_what_its_schema_says(answer: Sheet) -> None:
    assert jsonschema_rs.is_valid(inline_schema(Sheet), yaml.safe_load(to_json(answer)))


def test_a_field_with_a_default_is_left_out_and_times_are_in_utc() -> None:
    said: dict[str, Any] = yaml.safe_load(to_json(EMPTY))
    assert said == {"id": str(UUID(int=1)), "name": None, "ended_at": None, "only": "x"}
    assert b'"ended_at":"2026-03-02T12:00:00Z"' in to_json(FULL)


def test_components_refer_to_one_another_and_an_expanded_schema_does_not() -> None:
    components = component_schemas([Sheet])
    assert components.keys() == {"Sheet", "Line"}
    assert reference(Line) in components["Sheet"]["properties"]["last"]["anyOf"]
    assert "$ref" not in str(expanded_schema(Sheet))


def test_responses_describe_success_and_errors_with_their_headers() -> None:
    responses = Responses({200: "done", 503: "away"}, {"type": "object"}, {503: {"Retry-After": "seconds"}})
    described = responses.describe(200, list[str], 503)
    assert described["200"]["content"]["application/json"]["schema"] == {"type": "array", "items": {"type": "string"}}
    assert described["503"]["headers"]["Retry-After"]["schema"] == {"type": "string"}


def test_yaml_repeats_what_is_said_twice() -> None:
    part = {"a": 1}
    assert write_yaml({"x": part, "y": part}) == "x:\n  a: 1\ny:\n  a: 1\n"
