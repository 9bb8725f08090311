"""Many rows as one parameter: JSON, which PostgreSQL turns back into rows of a table (`json_populate_recordset`).

One statement takes any number of rows of several tables that way: a handful of them costs one round trip, where COPY
takes two for each table, and five hundred cost what they cost by COPY.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, LiteralString, TypeVar
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.kit.database.database import Transaction

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = Mapping[str, object]
"""A row by the names of its columns: text, numbers, ids, moments, bytes, lists of these, and JSON as it is."""


def rows_to_json(rows: "Iterable[Row | DataclassInstance]") -> str:
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


Cell = object
"""Text, a number, an id or a moment: anything whose `str` is what PostgreSQL reads; None is NULL."""

NULL: Final = "\\N"

_WRITE: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _: NULL,
    UUID: attrgetter("hex"),
    datetime: datetime.isoformat,
}
"""Cheaper ways than `str`."""


async def copy_rows(tx: Transaction, target: str, rows: Iterable[Sequence[Cell]]) -> None:
    """Copy rows into `table (columns)`; without rows nothing is sent."""
    await copy_text(tx, target, "".join([_line(row) for row in rows]))


async def copy_text(tx: Transaction, target: str, text: str) -> None:
    """Copy rows that are text already: cells as `escape` gives them, a tab between them, a line for each row."""
    if not text:
        return
    async with tx.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        await copy.write(text)


def _line(row: Sequence[Cell]) -> str:
    line = "\t".join([cell if type(cell) is str else _WRITE.get(type(cell), str)(cell) for cell in row])
    if line.count("\\") != row.count(None) or line.count("\t") != len(row) - 1 or "\n" in line or "\r" in line:
        line = "\t".join([escape(cell) for cell in row])
    return line + "\n"


def escape(cell: Cell) -> str:
    """Write one cell as COPY reads it, whatever is in it."""
    if cell is None:
        return NULL
    text = str(cell).replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def as_json(rows: Sequence[dict[str, object]]) -> str:
    """Write rows for `jsonb_to_recordset`."""
    return orjson.dumps(rows).decode()


Read = TypeVar("Read")


async def read_rows(tx: Transaction, kind: type[Read], query: LiteralString, **parameters: object) -> list[Read]:
    """Run a query whose columns are the fields of a dataclass, and return a value of it for each row.

    The query names its parameters: `%(case)s` is given as `case=`.
    """
    async with tx.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()
