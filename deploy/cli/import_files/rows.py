"""Streams the rows of a CSV or JSON file, each with its first line; a broken row does not hide the next one."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

LARGEST_OBJECT = 1 << 20

# A string ends at the end of its line at the latest: a missing quote breaks one object, and not the rest of the file.
_PIECE = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|\\?\n|\\?\Z)|[{}]|[^"{}\n]+|\n')
_BETWEEN = " \t\r\n,[]"


def split_objects(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Split a stream of JSON into its outermost objects, each with its first line.

    Text between two objects is yielded like an object, so that the caller can report it. At most one object is in
    memory.
    """
    scan = _Scan()
    for piece in _pieces(chunks):
        if scan.is_cut_off_by(piece):
            yield scan.take()
        scan.add(piece)
        if scan.is_complete:
            yield scan.take()
    if scan.parts:
        yield scan.take()


class _Scan:
    """The object that is being read: its pieces, its first line, and the depth of its braces."""

    def __init__(self) -> None:
        self.line, self.start, self.depth, self.length = 1, 1, 0, 0
        self.parts: list[str] = []
        self.has_open_string, self.at_line_start = False, True

    @property
    def is_complete(self) -> bool:
        return bool(self.parts) and (self.depth == 0 or self.length > LARGEST_OBJECT)

    def is_cut_off_by(self, piece: str) -> bool:
        """Return whether this piece begins a new object although the last one has not ended: that one is broken."""
        return self.has_open_string and self.at_line_start and piece == "{"

    def add(self, piece: str) -> None:
        self.depth += (piece == "{") - (piece == "}" and self.depth > 0)
        if self.parts or piece.strip(_BETWEEN):
            self.start = self.start if self.parts else self.line
            self.parts.append(piece)
            self.length += len(piece)
        self.has_open_string |= piece.startswith('"') and piece.endswith("\n")
        self.at_line_start = piece.endswith("\n") or (self.at_line_start and not piece.strip(_BETWEEN))
        self.line += piece.count("\n")

    def take(self) -> tuple[int, str]:
        found = self.start, "".join(self.parts)
        self.parts, self.depth, self.length, self.has_open_string = [], 0, 0, False
        return found


def _pieces(chunks: Iterable[str]) -> Iterator[str]:
    waiting = ""
    for chunk in chunks:
        *whole, last = _PIECE.findall(waiting + chunk)
        yield from whole
        waiting = last if len(last) < LARGEST_OBJECT else ""
        if not waiting:
            yield last
    yield from _PIECE.findall(waiting)


CHUNK = 1 << 16
LARGEST_CELL = 1 << 17


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that cannot be parsed; line 0 stands for the whole file."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its values by key; column names of CSV get the form of JSON keys (see `snake`)."""

    line: int
    values: Mapping[str, Any]


class SourceFile:
    """An open file with its format, the position of the reader, and its size in bytes."""

    def __init__(self, path: Path) -> None:
        """Open the file, and tell JSON from CSV by its first character."""
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
        """The number of bytes that were read."""
        return self.size if self._binary.closed else self._binary.tell()

    def rows(self) -> Iterator[Row | RowProblem]:
        """Yield the rows, in either format."""
        return read_json(iter(lambda: self._text.read(CHUNK), "")) if self.is_json else read_csv(self._text)


def snake(name: str) -> str:
    """Convert a column name to the form of the APIs' keys: `Created Date` to `created_date`."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def read_csv(text: Iterable[str]) -> Iterator[Row | RowProblem]:
    """Yield the rows below the header line; a row of another length than the header is a problem."""
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
            yield RowProblem(line, f"is not CSV: {error}")
            continue
        if cells:
            yield _row(line, header, cells)


def _row(line: int, header: list[str], cells: list[str]) -> Row | RowProblem:
    if len(cells) != len(header):
        return RowProblem(line, f"has {len(cells)} columns where the header has {len(header)}")
    if not _is_utf8("".join(cells)):
        return RowProblem(line, "is not UTF-8 text")
    return Row(line, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def read_json(chunks: Iterable[str]) -> Iterator[Row | RowProblem]:
    """Yield the objects of an array, or of a sequence of objects."""
    for line, text in split_objects(chunks):
        yield _object(line, text)


def _object(line: int, text: str) -> Row | RowProblem:
    if not _is_utf8(text):
        return RowProblem(line, "is not UTF-8 text")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return RowProblem(line, "is not a whole JSON object")
    return Row(line, value) if isinstance(value, dict) else RowProblem(line, "is not a JSON object")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
