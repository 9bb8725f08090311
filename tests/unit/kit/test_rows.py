"""Rows as one parameter: what JSON cannot say by itself."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from shared.kit.database.rows import rows_to_json


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


def test_a_cell_that_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError):
        rows_to_json([{"set": {1}}])
