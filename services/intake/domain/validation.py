"""Validation of what callers send: the fields of a form, and the problems in them.

A refusal is a value that holds every problem, so that the caller learns all of them in one answer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Final, Literal

Fields = Mapping[str, Sequence[str]]

CONTROL_CHARACTERS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
PRINTABLE_NAME: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
MULTI_VALUED: Final = frozenset(
    {"need", "attribute", *(f"consent[{part}]{end}" for part in ("recipients", "groups") for end in ("", "[]"))}
)
"""The fields of a report that may be given several times."""

Kind = Literal["missing", "malformed", "long", "twice", "unknown", "range"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason: the HTTP status for it, and a description that names the field and never quotes its value.

    `field` and `kind` state the same for the pages, which have texts of their own for each kind.
    """

    status: int
    description: str
    field: str = ""
    kind: Kind = "malformed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was done, for these reasons."""

    problems: tuple[Problem, ...]

    @property
    def status(self) -> int:
        """The status of the answer: that of the first problem that is not a plain 400, else 400."""
        others = (problem.status for problem in self.problems if problem.status != HTTPStatus.BAD_REQUEST)
        return next(others, HTTPStatus.BAD_REQUEST)


def refusal(status: int, description: str) -> Refusal:
    """Make a refusal for one reason."""
    return Refusal((Problem(status, description),))


def invalid(description: str, field: str, kind: Kind = "malformed") -> Problem:
    """Make the problem of a field that is missing or has a wrong value (400)."""
    return Problem(HTTPStatus.BAD_REQUEST, description, field, kind)


def not_found(description: str, field: str) -> Problem:
    """Make the problem of a field that names something unknown (404)."""
    return Problem(HTTPStatus.NOT_FOUND, description, field, "unknown")


def text_of(fields: Fields, name: str) -> str | None:
    """Return a field's only value; None when it is absent or empty, which Open311 treats alike."""
    values = fields.get(name)
    if not values:
        return None
    return values[0] or next(filter(None, values), None)


def list_values(fields: Fields, name: str) -> list[str]:
    """Return the values of a field that may be given several times, with commas, or both."""
    return [part for value in fields.get(name, ()) for item in value.split(",") if (part := item.strip())]


def check_fields(fields: Fields, multi_valued: frozenset[str] = MULTI_VALUED) -> list[Problem]:
    """Find single-valued fields that are given twice, and fields with control characters."""
    problems = [
        invalid(f"{printable_name(name)} is given more than once", name, "twice")
        for name, values in fields.items()
        if len(values) > 1 and multi_valued.isdisjoint((name, name.partition("[")[0]))
    ]
    # One search over all values: nearly every report passes it, and a search for each value would cost more.
    if CONTROL_CHARACTERS.search("".join(chain.from_iterable(fields.values()))):
        found = (name for name, values in fields.items() if CONTROL_CHARACTERS.search("".join(values)))
        problems += [invalid(f"{printable_name(name)} has control characters", name) for name in found]
    return problems


def printable_name(name: str) -> str:
    """Return a field's name if it is safe to repeat in an error, else `a field`: the caller may have sent anything."""
    return name if PRINTABLE_NAME.fullmatch(name) else "a field"
