"""The fields of a form: each name with the values that it is given, as Open311 sends them."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from services.intake.domain.problems import Problem, invalid

Fields = Mapping[str, Sequence[str]]

CONTROL_CHARACTERS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
PRINTABLE_NAME: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,80}")
MULTI_VALUED: Final = frozenset(
    {"need", "attribute", *(f"consent[{part}]{end}" for part in ("recipients", "groups") for end in ("", "[]"))}
)
"""The fields of a report that may be given several times."""


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
