"""Cuts a stream of JSON into its outermost objects, without holding more than one, and without trusting it."""

import re
from collections.abc import Iterable, Iterator

LARGEST_OBJECT = 1 << 20

# A string ends with its line at the latest: a missing quote spoils one object, not the rest of the file.
_PIECE = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|\\?\n|\\?\Z)|[{}]|[^"{}\n]+|\n')
_BETWEEN = " \t\r\n,[]"


def split_objects(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Give each object with the line it starts on; whatever else stands between two objects is given too."""
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
    """What of the stream belongs to the object that is being read."""

    def __init__(self) -> None:
        self.line, self.start, self.depth, self.length = 1, 1, 0, 0
        self.parts: list[str] = []
        self.has_open_string, self.at_line_start = False, True

    @property
    def is_complete(self) -> bool:
        return bool(self.parts) and (self.depth == 0 or self.length > LARGEST_OBJECT)

    def is_cut_off_by(self, piece: str) -> bool:
        """Whether a new object begins here, since the one before is known to be broken."""
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
