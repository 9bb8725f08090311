"""Why a request is refused, as a value: the caller learns every reason in one answer."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

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
