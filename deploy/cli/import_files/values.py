"""Reads single values of a row: texts, moments, coordinates."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.domain.import_record import ImportRecord, Remark

_PORTAL_TIME = "%m/%d/%Y %I:%M:%S %p"
_NOTHING = frozenset({"", "n/a", "unspecified", "null", "none"})


class UnreadableRowError(Exception):
    """A row that lacks what every record must have; the text names the column, never its value."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A row that has been read, and what is doubtful about it."""

    line: int
    record: ImportRecord
    remarks: tuple[Remark, ...]


def text_of(values: Mapping[str, Any], *names: str) -> str:
    """Return the first of these columns that says something, else an empty text."""
    found = (str(values[name]).strip() for name in names if isinstance(values.get(name), str | int | float))
    return next((text for text in found if text.casefold() not in _NOTHING), "")


def required(values: Mapping[str, Any], name: str) -> str:
    """Return what a column says.

    Raises:
        UnreadableRowError: it says nothing.
    """
    text = text_of(values, name)
    if not text:
        raise UnreadableRowError(f"{name} is missing")
    return text


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a time as portals and APIs write it; one without an offset is local to the zone. Returned in UTC.

    Raises:
        ValueError: it is not a time.
    """
    read = datetime.strptime(text, _PORTAL_TIME) if "/" in text[:3] else datetime.fromisoformat(text)  # noqa: DTZ007
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def required_moment(values: Mapping[str, Any], name: str, zone: ZoneInfo) -> datetime:
    """Read the time in a column.

    Raises:
        UnreadableRowError: there is none, or it is not a time.
    """
    try:
        return moment(required(values, name), zone)
    except (ValueError, OverflowError):
        raise UnreadableRowError(f"{name} is not a time") from None


def closing_time(text: str, zone: ZoneInfo) -> tuple[datetime | None, set[Remark]]:
    """Read a closing time; one that is not a time is remarked upon, and left out."""
    try:
        return (moment(text, zone) if text else None), set()
    except (ValueError, OverflowError):
        return None, {Remark.BAD_CLOSING_DATE}


def coordinates(values: Mapping[str, Any], names: tuple[str, str]) -> tuple[float | None, float | None, set[Remark]]:
    """Read latitude and longitude; what is no place on Earth, or its zero point, is left out with a remark."""
    texts = [text_of(values, name) for name in names]
    if not all(texts):
        return None, None, set()
    try:
        lat, long = (float(text) for text in texts)
    except ValueError:
        return None, None, {Remark.BAD_COORDINATES}
    on_earth = math.isfinite(lat + long) and abs(lat) <= 90 and abs(long) <= 180  # noqa: PLR2004 - degrees
    return (lat, long, set()) if on_earth and (lat or long) else (None, None, {Remark.BAD_COORDINATES})


def texts_of(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return those of the columns that say something."""
    found = ((name, text_of(values, name)) for name in names)
    return {name: text for name, text in found if text}
