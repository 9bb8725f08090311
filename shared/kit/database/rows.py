"""Parameters for statements that read or write many rows: JSON for rows, array literals for ids, text for COPY.

PostgreSQL turns a JSON parameter back into rows (`json_populate_recordset`, `json_to_recordset`). One statement takes
any number of rows of several tables that way: a few rows cost one round trip, where COPY costs two for each table, and
500 rows cost as much as they do by COPY.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, LiteralString, TypeVar
from uuid import UUID

import orjson
from psycopg.rows import class_row

from shared.kit.database.database import Transaction

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = Mapping[str, object]
"""A row by column names; a cell is text, a number, UUID, datetime, bytes, JSON, a list of these, or None for NULL."""


def rows_to_json(rows: "Iterable[Row | DataclassInstance]") -> str:
    """Return rows as a parameter for `json_populate_recordset` or `json_to_recordset`.

    Raises:
        TypeError: a cell is of a type that has no form in JSON.
    """
    return orjson.dumps(list(rows), default=_bytes_to_hex).decode()


def _bytes_to_hex(cell: object) -> str:
    """Return bytes as PostgreSQL reads them (documentation, "bytea Hex Format")."""
    if isinstance(cell, bytes):
        return f"\\x{cell.hex()}"
    raise TypeError(f"no form in JSON: {type(cell).__name__}")


def array_literal(values: Iterable[UUID | int | str]) -> str:
    """Return values as the text of a PostgreSQL array, for a parameter such as `%s::text::uuid[]`.

    Psycopg takes several times as long for a list of Python objects. The text of a value must not be empty, and must
    hold no comma, quote, brace or backslash: ids, numbers and names checked before are safe, free text is not.
    """
    return "{" + ",".join(map(str, values)) + "}"


async def copy_text(tx: Transaction, target: str, text: str) -> None:
    """Copy lines in COPY's text format into `target`, a `table (columns)`; without lines nothing is sent."""
    if not text:
        return
    async with tx.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        await copy.write(text)


Read = TypeVar("Read")


async def read_rows(tx: Transaction, kind: type[Read], query: LiteralString, **parameters: object) -> list[Read]:
    """Run a query whose columns are the fields of the dataclass `kind`, and return one value for each row.

    The query names its parameters: `case=` is the value of `%(case)s`.
    """
    async with tx.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()
