"""Where a report is about: a point, an address, or the id of an address."""

import re
from dataclasses import dataclass

from services.intake.domain.fields import Fields, text_of
from services.intake.domain.problems import Problem, bad

NUMBER = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?")
LATITUDES, LONGITUDES = 90.0, 180.0


@dataclass(frozen=True, slots=True)
class ReportedLocation:
    """What the report says of its place; degrees are WGS84."""

    lat: float | None
    long: float | None
    address: str | None
    address_id: str | None


def read_location(fields: Fields) -> tuple[ReportedLocation, list[Problem]]:
    """Read the place: lat and long together, or address_string, or address_id, or several of them."""
    problems: list[Problem] = []
    lat = _read_degrees(fields, "lat", LATITUDES, problems)
    long = _read_degrees(fields, "long", LONGITUDES, problems)
    address, address_id = text_of(fields, "address_string"), text_of(fields, "address_id")
    if (text_of(fields, "lat") is None) != (text_of(fields, "long") is None):
        problems.append(bad("lat and long must be given together", "lat", "missing"))
    if lat is None and not (address or address_id or problems):
        problems.append(
            bad("a location is required: lat and long, or address_string, or address_id", "address_string", "missing")
        )
    return ReportedLocation(lat, long, address, address_id), problems


def _read_degrees(fields: Fields, name: str, limit: float, problems: list[Problem]) -> float | None:
    text = text_of(fields, name)
    if text is None:
        return None
    degrees = float(text) if NUMBER.fullmatch(text.strip()) else None
    if degrees is None or abs(degrees) > limit:
        problems.append(bad(f"{name} must be a number of degrees from -{limit:.0f} to {limit:.0f}", name))
        return None
    return degrees
