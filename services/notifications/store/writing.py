"""How values are handed to PostgreSQL: many rows as one JSON text."""

from collections.abc import Sequence

import orjson


def as_json(rows: Sequence[dict[str, object]]) -> str:
    """Write rows for `jsonb_to_recordset`."""
    return orjson.dumps(rows).decode()
