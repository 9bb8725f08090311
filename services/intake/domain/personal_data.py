"""What a report says of a person and a place: read from the form, checked, and put into field groups.

A field group is sealed, released and withheld as one. Its content is JSON, in the form of the model of the same group
in `shared.events.fields.Released`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args
from zoneinfo import ZoneInfo

import orjson

from services.intake.domain.validation import Fields, Kind, Problem, invalid, printable_name, text_of
from shared.city.service_list import LISTS, AnswerGroup, Attribute, ServiceKind
from shared.events.fields import FieldGroup

Personal = Mapping[FieldGroup, bytes]
"""The JSON of each field group of which something is given."""

Answers = Mapping[str, tuple[str, ...]]
"""The values that are given to each question of a service, by the question's code."""

Parts = tuple[tuple[str, str], ...]
"""The parts of one field group: the name of each in the group's JSON, and the field that it is read from."""

NARRATIVE_ANSWERS: Final = "attributes"
"""The name under which answers without a stricter group go into the narrative."""

MAX_LENGTHS: Final[Mapping[str, int]] = {
    "address_string": 500,
    "address_id": 100,
    "postal_code": 12,
    "email": 254,
    "phone": 50,
    "first_name": 100,
    "last_name": 100,
    "device_id": 200,
    "account_id": 200,
    "description": 4000,
    "media_url": 2000,
}
"""Characters at most; 4,000 for the description is the limit of Open311 GeoReport v2."""

GROUPS: Final[Mapping[FieldGroup, Parts]] = {
    FieldGroup.ADDRESS: (
        ("address", "address_string"),
        ("address_id", "address_id"),
        ("postal_code", "postal_code"),
        ("lat", "lat"),
        ("long", "long"),
    ),
    FieldGroup.IDENTITY: tuple((name, name) for name in ("first_name", "last_name", "device_id", "account_id")),
    FieldGroup.CONTACT: (("email", "email"), ("phone", "phone")),
    FieldGroup.NARRATIVE: (("description", "description"), ("attributes", NARRATIVE_ANSWERS)),
    FieldGroup.ATTACHMENTS: (("media_url", "media_url"),),
    **{group: (("answers", group.value),) for group in get_args(AnswerGroup)},
}
"""The parts of each field group."""

FORMATS: Final = {
    "email": (re.compile(r"[^@\s<>,;:\"()]+@[^@\s<>,;:\"()]+\.[^@\s<>,;:\"()]+"), "must be an e-mail address"),
    "phone": (re.compile(r"[0-9+() ./x-]{3,50}"), "must be a telephone number"),
    "media_url": (re.compile(r"https?://[^\s<>\"]+"), "must be a http or https address"),
}
MULTILINE: Final = frozenset({"description"})

DEGREES: Final = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?")
LATITUDES, LONGITUDES = 90.0, 180.0

ATTRIBUTE: Final = re.compile(r"attribute\[([^\]]*)\](?:\[\])?")
NOT_AN_ATTRIBUTE: Final = "an attribute must be written attribute[CODE], or attribute[CODE][] for several values"
MAX_ANSWER_LENGTHS: Final[Mapping[str, int]] = {"string": 255, "text": 4000, "number": 40, "datetime": 40}
"""Characters at most of an answer, by the datatype of its question."""


@dataclass(frozen=True, slots=True)
class ReportedLocation:
    """What a report says of its place; `lat` and `long` are WGS84 degrees."""

    lat: float | None
    long: float | None
    address: str | None
    address_id: str | None


def read_personal(
    fields: Fields, location: ReportedLocation, answers: Mapping[str, Answers]
) -> tuple[Personal, list[Problem]]:
    """Put what the form says into field groups; `answers` are by group, as `group_answers` returns them."""
    problems: list[Problem] = []
    given: dict[str, object] = {name: _read_text(fields, name, problems) for name in MAX_LENGTHS if name in fields}
    given |= {"lat": location.lat, "long": location.long, **answers}
    return encode_groups(given), problems


def encode_groups(given: Mapping[str, object]) -> Personal:
    """Write each group as JSON, without the parts that are None; a group without parts is left out."""
    return {
        group: orjson.dumps(supplied)
        for group, parts in GROUPS.items()
        if (supplied := {part: value for part, name in parts if (value := given.get(name)) is not None})
    }


def group_answers(answers: Answers, service: ServiceKind) -> Mapping[str, Answers]:
    """Put each answer to the field group that its question names, or to the narrative."""
    grouped: dict[str, dict[str, tuple[str, ...]]] = {}
    for code, values in answers.items():
        question = service.asked.get(code)
        grouped.setdefault((question and question.group) or NARRATIVE_ANSWERS, {})[code] = values
    return grouped


def read_location(fields: Fields) -> tuple[ReportedLocation, list[Problem]]:
    """Read where a report is about: lat and long together, address_string, address_id, or several of them."""
    problems: list[Problem] = []
    lat = _read_degrees(fields, "lat", LATITUDES, problems)
    long = _read_degrees(fields, "long", LONGITUDES, problems)
    address, address_id = text_of(fields, "address_string"), text_of(fields, "address_id")
    if (text_of(fields, "lat") is None) != (text_of(fields, "long") is None):
        problems.append(invalid("lat and long must be given together", "lat", "missing"))
    if lat is None and not (address or address_id or problems):
        wanted = "a location is required: lat and long, or address_string, or address_id"
        problems.append(invalid(wanted, "address_string", "missing"))
    return ReportedLocation(lat, long, address, address_id), problems


def read_answers(fields: Fields, service: ServiceKind, zone: ZoneInfo) -> tuple[Answers, list[Problem]]:
    """Read and check the answers to a service's own questions (`attribute[CODE]`, `attribute[CODE][]`).

    A time without an offset is in the city's zone.
    """
    given, problems = _collect_answers(fields)
    answers: dict[str, tuple[str, ...]] = {}
    for code, question in service.asked.items():
        values = given.pop(code, ())
        problem = _problem_with(values, question)
        if problem:
            kind: Kind = "malformed" if values else "missing"
            problems.append(invalid(f"attribute[{code}] {problem}", f"attribute[{code}]", kind))
        elif values:
            answers[code] = _with_offsets(values, zone) if question.datatype == "datetime" else values
    for code in given:
        name = f"attribute[{code}]"
        problems.append(invalid(f"{printable_name(name)} is not a question of this service", name))
    return answers, problems


def _read_text(fields: Fields, name: str, problems: list[Problem]) -> str | None:
    value = text_of(fields, name)
    if value is None:
        return None
    if len(value) > MAX_LENGTHS[name]:
        problems.append(invalid(f"{name} is longer than {MAX_LENGTHS[name]} characters", name, "long"))
    elif name in FORMATS and not FORMATS[name][0].fullmatch(value):
        problems.append(invalid(f"{name} {FORMATS[name][1]}", name))
    elif name not in MULTILINE and ("\n" in value or "\r" in value):
        problems.append(invalid(f"{name} must be one line", name))
    return value


def _read_degrees(fields: Fields, name: str, limit: float, problems: list[Problem]) -> float | None:
    text = text_of(fields, name)
    if text is None:
        return None
    # A pattern decides, not float(): that takes "nan", "1e2" and "1_0", too.
    degrees = float(text) if DEGREES.fullmatch(text.strip()) else None
    if degrees is None or abs(degrees) > limit:
        problems.append(invalid(f"{name} must be a number of degrees from -{limit:.0f} to {limit:.0f}", name))
        return None
    return degrees


def _collect_answers(fields: Fields) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    given: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    for name, values in fields.items():
        if not name.startswith("attribute"):
            continue
        match = ATTRIBUTE.fullmatch(name)
        if match is None:
            problems.append(invalid(NOT_AN_ATTRIBUTE, name))
        elif supplied := [value for value in values if value.strip()]:
            # attribute[CODE] and attribute[CODE][] name the same question: their values add up, each once.
            given[match[1]] = tuple(dict.fromkeys((*given.get(match[1], ()), *supplied)))
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
    return _length_problem(value, "string")


def _text_problem(value: str) -> str | None:
    return _length_problem(value, "text")


def _length_problem(value: str, datatype: str) -> str | None:
    longest = MAX_ANSWER_LENGTHS[datatype]
    return f"is longer than {longest} characters" if len(value) > longest else None


def _number_problem(value: str) -> str | None:
    try:
        # float() takes underscores as Python does; JSON and everything that reads the answer later does not.
        is_number = len(value) <= MAX_ANSWER_LENGTHS["number"] and math.isfinite(float(value)) and "_" not in value
    except ValueError:
        is_number = False
    return None if is_number else "must be a number"


def _datetime_problem(value: str) -> str | None:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "must be a date and time, such as 2026-01-15T08:00:00-05:00"
    return None


_CHECKS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "string": _string_problem,
    "text": _text_problem,
    "number": _number_problem,
    "datetime": _datetime_problem,
}


def _with_offsets(values: tuple[str, ...], zone: ZoneInfo) -> tuple[str, ...]:
    moments = (datetime.fromisoformat(value) for value in values)
    return tuple((moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat() for moment in moments)
