"""Reader of New York's 311 rows: the portal's CSV and the API's JSON, which have the same columns."""

from collections.abc import Mapping
from typing import Any

from deploy.cli.import_files.import_maps import AgencyMap
from deploy.cli.import_files.values import (
    parse_closing_time,
    parse_coordinates,
    required,
    required_time,
    text_of,
    texts_of,
)
from services.intake.domain.import_record import ImportRecord, Remark

# The portal renamed two columns: the new name contains the old one.
_KIND = ("complaint_type", "problem_formerly_complaint_type", "problem")
_DETAIL = ("descriptor", "problem_detail_formerly_descriptor", "problem_detail")
_KEPT = ("agency_name", "location_type", "community_board", "landmark", "facility_type", "vehicle_type", "bbl")


def read_row(values: Mapping[str, Any], import_map: AgencyMap) -> tuple[ImportRecord, set[Remark]]:
    """Read one row.

    Raises:
        UnreadableRowError: the key, agency or creation date is missing or invalid.
        pydantic.ValidationError: a value is too long for a record.
    """
    agency = required(values, "agency")
    kind, detail = text_of(values, *_KIND), text_of(values, *_DETAIL)
    service = import_map.find(agency, kind)
    lat, long, bad_place = parse_coordinates(values, ("latitude", "longitude"))
    closed_at, bad_date = parse_closing_time(text_of(values, "closed_date"), import_map.zone)
    record = ImportRecord(
        external_id=required(values, "unique_key"),
        service_code=service or import_map.default,
        description=": ".join(text for text in (kind, detail) if text),
        address=_address(values) or None,
        lat=lat,
        long=long,
        district=text_of(values, "borough", "park_borough") or None,
        postal_code=text_of(values, "incident_zip")[:10] or None,
        requested_at=required_time(values, "created_date", import_map.zone),
        closed_at=closed_at,
        status="closed" if _has_closed_status(values) or closed_at else "open",
        status_notes=text_of(values, "resolution_description"),
        source_agency=agency,
        channel=import_map.channel(text_of(values, "open_data_channel_type")),
        attributes=_attributes(values, kind, detail),
    )
    return record, bad_place | bad_date | _remarks_on(values, record, mapped=service is not None)


def _has_closed_status(values: Mapping[str, Any]) -> bool:
    """Return whether the status is Closed. A closing date outweighs it: rows in follow-up have one."""
    return text_of(values, "status").casefold() == "closed"


def _remarks_on(values: Mapping[str, Any], record: ImportRecord, *, mapped: bool) -> set[Remark]:
    remarks = (
        (Remark.NO_ADDRESS, not text_of(values, "incident_address")),
        (Remark.NOT_IN_MAP, not mapped),
        (Remark.DATE_THOUGH_OPEN, record.closed_at is not None and not _has_closed_status(values)),
    )
    return {remark for remark, holds in remarks if holds}


def _address(values: Mapping[str, Any]) -> str:
    """Return the address, else the corner, else the street: a crew can find the place by any of them."""
    corner = [text_of(values, "intersection_street_1"), text_of(values, "intersection_street_2")]
    place = text_of(values, "incident_address") or " & ".join(filter(None, corner)) or text_of(values, "street_name")
    return ", ".join(filter(None, (place, text_of(values, "city")))) if place else ""


def _attributes(values: Mapping[str, Any], kind: str, detail: str) -> dict[str, str]:
    values_of_kind = {"complaint_type": kind, "descriptor": detail}
    return {name: text for name, text in values_of_kind.items() if text} | texts_of(values, _KEPT)
