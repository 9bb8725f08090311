"""Streams the rows of a CSV or JSON file, each with the line it starts on; a broken row does not hide the next one."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from deploy.cli.import_files.json_objects import split_objects

CHUNK = 1 << 16
LARGEST_CELL = 1 << 17


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be read; line 0 stands for the whole file."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it came: the keys of JSON, or the column names of CSV in the same form."""

    line: int
    values: Mapping[str, Any]


class SourceFile:
    """An opened file that knows its form, how far it has been read, and how long it is."""

    def __init__(self, path: Path) -> None:
        """Open the file and look at its first character."""
        self._binary: BinaryIO = path.open("rb")
        self.size = path.stat().st_size
        self.is_json = self._binary.read(CHUNK).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"[", b"{"}
        self._binary.seek(0)
        self._text = io.TextIOWrapper(self._binary, "utf-8-sig", errors="surrogateescape", newline="")

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._text.close()

    @property
    def position(self) -> int:
        """Count the bytes that have been read so far."""
        return self.size if self._binary.closed else self._binary.tell()

    def rows(self) -> Iterator[Row | Problem]:
        """Read row by row, whatever the form."""
        return read_json(iter(lambda: self._text.read(CHUNK), "")) if self.is_json else read_csv(self._text)


def snake(name: str) -> str:
    """Write a column name as the APIs write their keys: `Created Date` as `created_date`."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def read_csv(text: Iterable[str]) -> Iterator[Row | Problem]:
    """Read rows under a header line; a row of another length than the header is a problem."""
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(text)
    header = [snake(name) for name in next(reader, [])]
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(line, f"is not CSV: {error}")
            continue
        if cells:
            yield _row(line, header, cells)


def _row(line: int, header: list[str], cells: list[str]) -> Row | Problem:
    if len(cells) != len(header):
        return Problem(line, f"has {len(cells)} columns where the header has {len(header)}")
    if not _is_utf8("".join(cells)):
        return Problem(line, "is not UTF-8 text")
    return Row(line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def read_json(chunks: Iterable[str]) -> Iterator[Row | Problem]:
    """Read the objects of an array, or one object after another."""
    for line, text in split_objects(chunks):
        yield _object(line, text)


def _object(line: int, text: str) -> Row | Problem:
    if not _is_utf8(text):
        return Problem(line, "is not UTF-8 text")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return Problem(line, "is not a whole JSON object")
    return Row(line, value) if isinstance(value, dict) else Problem(line, "is not a JSON object")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
