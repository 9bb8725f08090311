"""Reads New York's 311 rows: the portal's CSV and the API's JSON, which have the same columns."""

from collections.abc import Mapping
from typing import Any

from deploy.cli.import_files.mapping import AgencyMap
from deploy.cli.import_files.values import (
    closing_time,
    coordinates,
    required,
    required_moment,
    text_of,
    texts_of,
)
from services.intake.domain.import_record import ImportRecord, Remark

# The portal renamed two columns and says so in the new name.
_KIND = ("complaint_type", "problem_formerly_complaint_type", "problem")
_DETAIL = ("descriptor", "problem_detail_formerly_descriptor", "problem_detail")
_KEPT = ("agency_name", "location_type", "community_board", "landmark", "facility_type", "vehicle_type", "bbl")


def read_row(values: Mapping[str, Any], import_map: AgencyMap) -> tuple[ImportRecord, set[Remark]]:
    """Read one row.

    Raises:
        UnreadableRowError: its key, agency or creation date is missing or not what it must be.
        pydantic.ValidationError: a value is longer than a record may hold.
    """
    agency = required(values, "agency")
    kind, detail = text_of(values, *_KIND), text_of(values, *_DETAIL)
    service = import_map.find(agency, kind)
    lat, long, bad_place = coordinates(values, ("latitude", "longitude"))
    closed_at, bad_date = closing_time(text_of(values, "closed_date"), import_map.zone)
    record = ImportRecord(
        external_id=required(values, "unique_key"),
        service_code=service or import_map.default,
        description=": ".join(text for text in (kind, detail) if text),
        address=_address(values) or None,
        lat=lat,
        long=long,
        district=text_of(values, "borough", "park_borough") or None,
        postal_code=text_of(values, "incident_zip")[:10] or None,
        requested_at=required_moment(values, "created_date", import_map.zone),
        closed_at=closed_at,
        status="closed" if _says_closed(values) or closed_at else "open",
        status_notes=text_of(values, "resolution_description"),
        source_agency=agency,
        channel=import_map.channel(text_of(values, "open_data_channel_type")),
        attributes=_attributes(values, kind, detail),
    )
    return record, bad_place | bad_date | _doubts(values, record, mapped=service is not None)


def _says_closed(values: Mapping[str, Any]) -> bool:
    """Tell what the status says. A closing date says more: rows that wait for a follow-up, say, keep theirs."""
    return text_of(values, "status").casefold() == "closed"


def _doubts(values: Mapping[str, Any], record: ImportRecord, *, mapped: bool) -> set[Remark]:
    doubts = (
        (Remark.NO_ADDRESS, not text_of(values, "incident_address")),
        (Remark.NOT_IN_MAP, not mapped),
        (Remark.DATE_THOUGH_OPEN, record.closed_at is not None and not _says_closed(values)),
    )
    return {remark for remark, holds in doubts if holds}


def _address(values: Mapping[str, Any]) -> str:
    """Return the address, or else the corner or the street: better than nothing for whoever must find it."""
    corner = [text_of(values, "intersection_street_1"), text_of(values, "intersection_street_2")]
    place = text_of(values, "incident_address") or " & ".join(filter(None, corner)) or text_of(values, "street_name")
    return ", ".join(filter(None, (place, text_of(values, "city")))) if place else ""


def _attributes(values: Mapping[str, Any], kind: str, detail: str) -> dict[str, str]:
    said = {"complaint_type": kind, "descriptor": detail}
    return {name: text for name, text in said.items() if text} | texts_of(values, _KEPT)
