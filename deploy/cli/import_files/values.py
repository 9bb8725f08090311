"""Parsers of single values of a row: texts, times, parse_coordinates."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.intake.domain.import_record import ImportRecord, Remark

_PORTAL_TIME = "%m/%d/%Y %I:%M:%S %p"
_EMPTY_VALUES = frozenset({"", "n/a", "unspecified", "null", "none"})


class UnreadableRowError(Exception):
    """A row lacks a value that every record needs. The text names the column, not the value, which may be personal."""


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row as a record, with its line and remarks on doubtful values."""

    line: int
    record: ImportRecord
    remarks: tuple[Remark, ...]


def text_of(values: Mapping[str, Any], *names: str) -> str:
    """Return the first non-empty value of these columns, else an empty text."""
    found = (str(values[name]).strip() for name in names if isinstance(values.get(name), str | int | float))
    return next((text for text in found if text.casefold() not in _EMPTY_VALUES), "")


def required(values: Mapping[str, Any], name: str) -> str:
    """Return the value of a column.

    Raises:
        UnreadableRowError: the column is missing or empty.
    """
    text = text_of(values, name)
    if not text:
        raise UnreadableRowError(f"{name} is missing")
    return text


def parse_time(text: str, zone: ZoneInfo) -> datetime:
    """Parse a time in the format of portals or of APIs, and return it in UTC; without an offset it is in `zone`.

    Raises:
        ValueError: the text is not a time.
    """
    read = datetime.strptime(text, _PORTAL_TIME) if "/" in text[:3] else datetime.fromisoformat(text)  # noqa: DTZ007
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def required_time(values: Mapping[str, Any], name: str, zone: ZoneInfo) -> datetime:
    """Parse the time in a column.

    Raises:
        UnreadableRowError: the column is empty, or its value is not a time.
    """
    try:
        return parse_time(required(values, name), zone)
    except (ValueError, OverflowError):
        raise UnreadableRowError(f"{name} is not a time") from None


def parse_closing_time(text: str, zone: ZoneInfo) -> tuple[datetime | None, set[Remark]]:
    """Parse a closing time; an invalid one is left out, with a remark."""
    try:
        return (parse_time(text, zone) if text else None), set()
    except (ValueError, OverflowError):
        return None, {Remark.BAD_CLOSING_DATE}


def parse_coordinates(
    values: Mapping[str, Any], names: tuple[str, str]
) -> tuple[float | None, float | None, set[Remark]]:
    """Parse latitude and longitude; a value that is out of range, or 0/0, is left out with a remark."""
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
    """Return the non-empty values among these columns."""
    found = ((name, text_of(values, name)) for name in names)
    return {name: text for name, text in found if text}
