"""Rows and arrays as parameters of a statement."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from shared.kit.database.rows import array_literal, rows_to_json


def test_cells_are_written_as_postgresql_reads_them() -> None:
    row = {
        "id": UUID(int=7),
        "at": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "raw": b"\x00\xff",
        "groups": ("need", "address"),
        "said": orjson.Fragment(b'{"a": 1.0}'),
        "nothing": None,
    }
    assert rows_to_json([row]) == (
        '[{"id":"00000000-0000-0000-0000-000000000007","at":"2026-03-01T12:00:00+00:00","raw":"\\\\x00ff",'
        '"groups":["need","address"],"said":{"a": 1.0},"nothing":null}]'
    )


def test_a_cell_without_a_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError):
        rows_to_json([{"set": {1}}])


def test_an_array_is_the_text_of_its_values() -> None:
    assert array_literal([UUID(int=7), 3, "/services/intake"]) == (
        "{00000000-0000-0000-0000-000000000007,3,/services/intake}"
    )
    assert array_literal([]) == "{}"
