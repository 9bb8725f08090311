"""The answers to a service's own questions: `attribute[CODE]=` and `attribute[CODE][]=`."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from services.intake.domain.catalogue import LISTS, Attribute, ServiceKind
from services.intake.domain.fields import Fields, speakable
from services.intake.domain.problems import Kind, Problem, bad

Answers = Mapping[str, tuple[str, ...]]

FIELD = re.compile(r"attribute\[([^\]]*)\](?:\[\])?")
NOT_ASKED = "is not a question of this service"
NOT_AN_ATTRIBUTE = "an attribute must be written attribute[CODE], or attribute[CODE][] for several values"
LONGEST = {"string": 255, "text": 4000, "number": 40, "datetime": 40}


def read_answers(fields: Fields, service: ServiceKind, zone: ZoneInfo) -> tuple[Answers, list[Problem]]:
    """Read and check every answer; a time without an offset is taken to be in the city's zone."""
    given, problems = _collect(fields)
    answers: dict[str, tuple[str, ...]] = {}
    for code, question in service.asked.items():
        values = given.pop(code, ())
        problem = _problem_with(values, question)
        if problem:
            kind: Kind = "malformed" if values else "missing"
            problems.append(bad(f"attribute[{code}] {problem}", f"attribute[{code}]", kind))
        elif values:
            answers[code] = _in_full(values, zone) if question.datatype == "datetime" else values
    problems += [bad(f"{speakable(f'attribute[{code}]')} {NOT_ASKED}", f"attribute[{code}]") for code in given]
    return answers, problems


def _collect(fields: Fields) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    given: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for name, values in fields.items():
        if not name.startswith("attribute"):
            continue
        match = FIELD.fullmatch(name)
        if match is None:
            problems.append(bad(NOT_AN_ATTRIBUTE, name))
        elif said := [value for value in values if value.strip()]:
            given[match[1]] = tuple(dict.fromkeys((*given.get(match[1], ()), *said)))
    return given, problems


def _problem_with(values: tuple[str, ...], question: Attribute) -> str | None:
    if not values:
        return "is required" if question.required else None
    if len(values) > 1 and question.datatype != "multivaluelist":
        return "has one value only"
    if question.datatype in LISTS:
        return None if question.keys.issuperset(values) else f"must be of: {', '.join(c.key for c in question.values)}"
    return _CHECKS[question.datatype](values[0])


def _string_problem(value: str) -> str | None:
    if "\n" in value or "\r" in value:
        return "must be one line"
    return f"is longer than {LONGEST['string']} characters" if len(value) > LONGEST["string"] else None


def _text_problem(value: str) -> str | None:
    return f"is longer than {LONGEST['text']} characters" if len(value) > LONGEST["text"] else None


def _number_problem(value: str) -> str | None:
    try:
        fine = len(value) <= LONGEST["number"] and math.isfinite(float(value)) and "_" not in value
    except ValueError:
        fine = False
    return None if fine else "must be a number"


def _datetime_problem(value: str) -> str | None:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "must be a date and time, such as 2026-01-15T08:00:00-05:00"
    return None


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "string": _string_problem,
    "text": _text_problem,
    "number": _number_problem,
    "datetime": _datetime_problem,
}


def _in_full(values: tuple[str, ...], zone: ZoneInfo) -> tuple[str, ...]:
    moments = (datetime.fromisoformat(value) for value in values)
    return tuple((moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat() for moment in moments)
