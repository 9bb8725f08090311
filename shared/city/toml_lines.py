"""The line of each key and value in a TOML text, so that an error can be shown to its author.

`tomllib` gives values without their lines. This scanner gives lines without values, for a text
that `tomllib` has accepted before: it does not look for errors.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

TomlPath = tuple[str | int, ...]
"""Names of tables and keys, and numbers of elements from 0: ("share", 1, "groups", 0)."""

Lines = Mapping[TomlPath, int]
"""The line, from 1, of each path."""

_BETWEEN: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY: Final = re.compile(r"[ \t]*(\"(?:\\.|[^\"\\])*\"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*(\.?)")
_PLAIN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|[^,\]}#\n]+",
    re.DOTALL,
)


def lines_of(text: str) -> Lines:
    """Return the line of every table, key and element of a valid TOML text."""
    scan = _Scan(text)
    scan.walk()
    return scan.lines


def nearest(lines: Lines, path: TomlPath) -> int:
    """Return the line of a path, or of the innermost table around it that exists, or else 1."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


class _Scan:
    """One scan of a text, from its start to its end."""

    def __init__(self, text: str) -> None:
        self.lines: dict[TomlPath, int] = {}
        self._text, self._at, self._table = text, 0, TomlPath()
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._last: dict[TomlPath, int] = {}

    def walk(self) -> None:
        """Scan the whole text."""
        while self._skip() < len(self._text):
            self._statement()

    def _statement(self) -> None:
        if self._text.startswith("[[", self._at):
            self._array_table()
        elif self._text[self._at] == "[":
            self._at += 1
            start = self._at
            self._table = self._resolved(self._key())
            self._record_all(self._table, start)
            self._at += 1
        else:
            self._pair(self._table)

    def _array_table(self) -> None:
        start = self._at
        self._at += 2
        *above, name = self._key()
        array = (*self._resolved(tuple(above)), name)
        self._last[array] = self._last.get(array, -1) + 1
        self._table = (*array, self._last[array])
        self._record_all(self._table, start)
        self._at += 2

    def _pair(self, table: TomlPath) -> None:
        start = self._at
        path = (*table, *self._key())
        self._record_all(path, start)
        self._at += 1
        self._value(path)

    def _value(self, path: TomlPath) -> None:
        start = self._skip()
        self._record(path, start)
        opening = self._text[start]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._at = self._match(_PLAIN).end()

    def _array(self, path: TomlPath) -> None:
        self._at += 1
        number = 0
        while self._text[self._skip()] != "]":
            self._value((*path, number))
            number += 1
            self._comma()
        self._at += 1

    def _inline_table(self, path: TomlPath) -> None:
        self._at += 1
        while self._text[self._skip()] != "}":
            self._pair(path)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        if self._text[self._skip()] == ",":
            self._at += 1

    def _key(self) -> TomlPath:
        parts: list[str] = []
        more = True
        while more:
            found = self._match(_KEY)
            parts.append(_unquoted(found[1]))
            self._at, more = found.end(), bool(found[2])
        return tuple(parts)

    def _resolved(self, names: TomlPath) -> TomlPath:
        """Insert the number of the latest element after each name of an array of tables."""
        path = TomlPath()
        for name in names:
            path = (*path, name)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise AssertionError(f"not TOML after character {self._at}")
        return found

    def _skip(self) -> int:
        self._at = self._match(_BETWEEN).end()
        return self._at

    def _record_all(self, path: TomlPath, at: int) -> None:
        """Record a path, and the tables around it that the text has not named before."""
        for length in range(1, len(path) + 1):
            self._record(path[:length], at)

    def _record(self, path: TomlPath, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._breaks, at - 1) + 1 if at else 1)


def _unquoted(key: str) -> str:
    return str(tomllib.loads(f"key = {key}")["key"]) if key[0] in "\"'" else key
