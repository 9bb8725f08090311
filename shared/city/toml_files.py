"""TOML texts parsed into models, with file, line and reason of every error in them."""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from shared.city.toml_lines import Lines, TomlPath, lines_of, nearest

M = TypeVar("M", bound=BaseModel)

Locator = Callable[[str, dict[str, Any]], TomlPath]
"""Finds the key that a model's own validator is about, by its message and what the text says."""

_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_OWN_MESSAGE = "Value error, "
_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})


class FilePart(BaseModel):
    """A frozen part of a file; a key that the model does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Severity(StrEnum):
    """An error keeps the file from being used; a warning is for a person to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that the author of a file should look at; `line` counts from 1."""

    file: str
    line: int
    severity: Severity
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.reason}"


@dataclass(frozen=True)
class TomlFile(Generic[M]):
    """One file: its name, its text, and the model that the text was parsed into."""

    name: str
    text: str
    content: M

    @cached_property
    def lines(self) -> Lines:
        """The line of each part of the text; only findings need them."""
        return lines_of(self.text)

    def error(self, reason: str, *path: str | int) -> Finding:
        """Return an error about a part of the file."""
        return Finding(self.name, nearest(self.lines, path), Severity.ERROR, reason)

    def warning(self, reason: str, *path: str | int) -> Finding:
        """Return a warning about a part of the file."""
        return Finding(self.name, nearest(self.lines, path), Severity.WARNING, reason)


class CityError(Exception):
    """The files of a city cannot be used; `findings` has file, line and reason of every error."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("\n  ".join(["the city's files cannot be used:", *map(str, self.findings)]))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def parse_toml(name: str, text: str, model: type[M], locate: Locator = lambda *_: ()) -> TomlFile[M] | list[Finding]:
    """Parse a text into a model, or return the errors in it.

    `locate` finds the place of an error that the model reports about itself as a whole.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = f"not TOML: {_LINE.sub('', str(error)).strip()}"
        return [Finding(name, _line_in(str(error), text), Severity.ERROR, reason)]
    try:
        return TomlFile(name, text, model.model_validate(content))
    except ValidationError as error:
        lines = lines_of(text)
        wrong = [_described(each, content, locate) for each in error.errors(include_url=False)]
        return [Finding(name, nearest(lines, place), Severity.ERROR, reason) for place, reason in wrong]


def _line_in(message: str, text: str) -> int:
    """Return the line that tomllib's message names; at the end of a text it names none."""
    found = _LINE.search(message)
    return int(found[1]) if found else max(1, len(text.splitlines()))


def _described(error: ErrorDetails, content: dict[str, Any], locate: Locator) -> tuple[TomlPath, str]:
    """Return where an error is and its reason, in words for the author of the file."""
    place, message = error["loc"], error["msg"].removeprefix(_OWN_MESSAGE)
    if error["type"] == "missing":
        return place[:-1], f"{place[-1]} is missing"
    if error["type"] in _UNKNOWN_KEY:
        return place, f"{place[-1]} is not known here"
    if not place:
        return locate(message, content), message
    return place, f"{'.'.join(map(str, place))}: {message[:1].lower()}{message[1:]}"
