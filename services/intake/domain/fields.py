"""The fields of a form: each name with the values it was given, as Open311 sends them."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from services.intake.domain.problems import Problem, invalid

Fields = Mapping[str, Sequence[str]]

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
PRINTABLE_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
MULTI_VALUED = frozenset(
    {"need", "attribute", *(f"consent[{part}]{end}" for part in ("recipients", "groups") for end in ("", "[]"))}
)


def text_of(fields: Fields, name: str) -> str | None:
    """Return a field's only value; None when it is absent or empty, which Open311 holds to be the same."""
    values = fields.get(name)
    if not values:
        return None
    return values[0] or next(filter(None, values), None)


def list_values(fields: Fields, name: str) -> list[str]:
    """Return the values of a field that may be given several times, with commas, or both."""
    return [part for value in fields.get(name, ()) for item in value.split(",") if (part := item.strip())]


def check_fields(fields: Fields, multi_valued: frozenset[str] = MULTI_VALUED) -> list[Problem]:
    """Find fields that are given twice though they have one value, and control characters."""
    problems = [
        invalid(f"{printable_name(name)} is given more than once", name, "twice")
        for name, values in fields.items()
        if len(values) > 1 and multi_valued.isdisjoint((name, name.partition("[")[0]))
    ]
    if CONTROL_CHARACTERS.search("".join(chain.from_iterable(fields.values()))):
        unprintable = (name for name, values in fields.items() if CONTROL_CHARACTERS.search("".join(values)))
        problems += [invalid(f"{printable_name(name)} has control characters", name) for name in unprintable]
    return problems


def printable_name(name: str) -> str:
    """Return a field's name if it is fit to be repeated to the caller."""
    return name if PRINTABLE_NAME.fullmatch(name) else "a field"
