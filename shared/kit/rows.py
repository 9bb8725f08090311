"""Many rows as one parameter: JSON, which PostgreSQL turns back into rows of a table (`json_populate_recordset`).

One statement takes any number of rows of several tables that way: a handful of them costs one round trip, where COPY
takes two for each table, and five hundred cost what they cost by COPY.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = Mapping[str, object]
"""A row by the names of its columns: text, numbers, ids, moments, bytes, lists of these, and JSON as it is."""


def as_rows(rows: "Iterable[Row | DataclassInstance]") -> str:
    """Write rows as a parameter for `json_populate_recordset` or `json_to_recordset`.

    Raises:
        TypeError: a cell is of a type that has no form in JSON.
    """
    return orjson.dumps(list(rows), default=_bytes).decode()


def _bytes(cell: object) -> str:
    """Write bytes as PostgreSQL reads them (documentation, "bytea Hex Format")."""
    if isinstance(cell, bytes):
        return f"\\x{cell.hex()}"
    raise TypeError(f"no form in JSON: {type(cell).__name__}")
