"""Why something was refused, as a value: the caller is told every reason at once."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

Kind = Literal["missing", "malformed", "long", "twice", "unknown", "range"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason: the HTTP status that fits it, and words that name the field and never quote its value.

    `field` and `kind` say the same to the pages, which have their own words for it.
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
        """The status of the answer: the first reason's that is not a plain 400, else 400."""
        rare = (problem.status for problem in self.problems if problem.status != HTTPStatus.BAD_REQUEST)
        return next(rare, HTTPStatus.BAD_REQUEST)


def refusal(status: int, description: str) -> Refusal:
    """Refuse for one reason."""
    return Refusal((Problem(status, description),))


def invalid(description: str, field: str, kind: Kind = "malformed") -> Problem:
    """Name something that is missing or not as it must be (400)."""
    return Problem(HTTPStatus.BAD_REQUEST, description, field, kind)


def not_found(description: str, field: str) -> Problem:
    """Name something that does not exist (404)."""
    return Problem(HTTPStatus.NOT_FOUND, description, field, "unknown")
