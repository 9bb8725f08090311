"""Reader of Chicago's 311 requests: the JSON of its Open311 API with notes, and the CSV of its portal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.cli.import_files.import_maps import ServiceMap
from deploy.cli.import_files.values import (
    UnreadableRowError,
    parse_closing_time,
    parse_coordinates,
    required,
    required_time,
    text_of,
    texts_of,
)
from services.intake.domain.import_record import FollowOn, ImportNote, ImportRecord, Remark


@dataclass(frozen=True, slots=True)
class RequestHistory:
    """The content of one request's notes: the notes themselves, the follow-ons, and the times that they name."""

    notes: tuple[ImportNote, ...]
    follow_ons: tuple[FollowOn, ...]
    answered_at: datetime | None
    closed_at: datetime | None
    remarks: set[Remark]


@dataclass(frozen=True, slots=True)
class _ParsedNote:
    """One note, and the extended attributes of the follow-on that it names, if any."""

    note: ImportNote
    follow_on: Mapping[str, Any] | None


def history_of(value: object, requested_at: datetime, import_map: ServiceMap) -> RequestHistory:
    """Read the notes; an unreadable one is left out, and a remark says so."""
    raw = value if isinstance(value, list) else []
    parsed = [note for note in (_read_note(item, import_map) for item in raw) if note]
    ids = dict.fromkeys(text_of(each.follow_on, "service_request_id") for each in parsed if each.follow_on is not None)
    joined = [_join(parsed, external_id, requested_at, import_map) for external_id in ids if external_id]
    remarks = {Remark.BAD_NOTE} if len(parsed) < len(raw) else set()
    if not all(started for _, started in joined):
        remarks.add(Remark.FOLLOW_ON_WITHOUT_START)
    return RequestHistory(
        notes=tuple(each.note for each in parsed),
        follow_ons=tuple(follow_on for follow_on, _ in joined),
        answered_at=_first(parsed, "activity"),
        closed_at=_first(parsed, "closed"),
        remarks=remarks,
    )


def _read_note(item: object, import_map: ServiceMap) -> _ParsedNote | None:
    if not isinstance(item, dict):
        return None
    try:
        note = ImportNote(
            at=required_time(item, "datetime", import_map.zone),
            kind=required(item, "type"),
            summary=text_of(item, "summary"),
            description=text_of(item, "description") or None,
        )
    except UnreadableRowError:
        return None
    extended = item.get("extended_attributes")
    names_one = note.kind.startswith("follow_on") and isinstance(extended, dict)
    return _ParsedNote(note, extended if names_one else None)


def _join(
    parsed: list[_ParsedNote], external_id: str, requested_at: datetime, import_map: ServiceMap
) -> tuple[FollowOn, bool]:
    """Return the follow-on of the notes that name it; without a start note it begins with the request."""
    about = [
        each
        for each in parsed
        if each.follow_on is not None and text_of(each.follow_on, "service_request_id") == external_id
    ]
    extended = about[0].follow_on or {}
    agency = text_of(extended, "agency_responsible") or "unknown"
    kind = text_of(extended, "service_name")
    opened_at = _first(about, "follow_on_created")
    follow_on = FollowOn(
        external_id=external_id,
        service_code=import_map.find(agency, kind) or import_map.default,
        description=kind,
        source_agency=agency,
        opened_at=opened_at or requested_at,
        closed_at=_first(about, "follow_on_closed"),
    )
    return follow_on, opened_at is not None


def _first(parsed: list[_ParsedNote], kind: str) -> datetime | None:
    return min((each.note.at for each in parsed if each.note.kind == kind), default=None)


_CLOSED = frozenset({"closed", "completed", "canceled", "cancelled"})
_KEPT_OF_CSV = ("sr_short_code", "owner_department", "created_department", "community_area", "ward", "parent_sr_number")
_KEPT_OF_JSON = ("ward", "police_district", "parent_service_request_id")


def read_row(values: Mapping[str, Any], import_map: ServiceMap) -> tuple[ImportRecord, set[Remark]]:
    """Read one row of either form.

    Raises:
        UnreadableRowError: the number, kind or creation date is missing or invalid.
        pydantic.ValidationError: a value is too long for a record.
    """
    return _read_csv(values, import_map) if "sr_number" in values else _read_json(values, import_map)


def _read_csv(values: Mapping[str, Any], import_map: ServiceMap) -> tuple[ImportRecord, set[Remark]]:
    kind = required(values, "sr_type")
    agency = text_of(values, "owner_department", "created_department") or "unknown"
    service = import_map.find(agency, kind)
    lat, long, bad_place = parse_coordinates(values, ("latitude", "longitude"))
    closed_at, bad_date = parse_closing_time(text_of(values, "closed_date"), import_map.zone)
    record = ImportRecord(
        external_id=required(values, "sr_number"),
        service_code=service or import_map.default,
        description=kind,
        address=text_of(values, "street_address") or None,
        lat=lat,
        long=long,
        postal_code=text_of(values, "zip_code")[:10] or None,
        requested_at=required_time(values, "created_date", import_map.zone),
        closed_at=closed_at,
        status=_status(text_of(values, "status")),
        source_agency=agency,
        channel=import_map.channel(text_of(values, "origin")),
        attributes=texts_of(values, _KEPT_OF_CSV),
    )
    return record, bad_place | bad_date | _unmapped(service)


def _read_json(values: Mapping[str, Any], import_map: ServiceMap) -> tuple[ImportRecord, set[Remark]]:
    kind = required(values, "service_name")
    agency = text_of(values, "agency_responsible") or "unknown"
    service = import_map.find(agency, kind)
    extended = _table(values.get("extended_attributes"))
    lat, long, remarks = parse_coordinates(values, ("lat", "long"))
    requested_at = required_time(values, "requested_datetime", import_map.zone)
    status = _status(text_of(values, "status"))
    history = history_of(values.get("notes"), requested_at, import_map)
    closed_at, bad_date = _closed_at(values, history.closed_at, import_map) if status == "closed" else (None, set())
    record = ImportRecord(
        external_id=required(values, "service_request_id"),
        service_code=service or import_map.default,
        description=text_of(values, "description") or kind,
        address=text_of(values, "address") or None,
        lat=lat,
        long=long,
        postal_code=text_of(extended, "zip")[:10] or text_of(values, "zipcode")[:10] or None,
        requested_at=requested_at,
        closed_at=closed_at,
        status=status,
        status_notes=text_of(values, "status_notes"),
        source_agency=agency,
        channel=import_map.channel(text_of(extended, "channel")),
        attributes=_answers(values.get("attributes")) | texts_of(extended, _KEPT_OF_JSON),
        first_answered_at=history.answered_at,
        follow_ons=history.follow_ons,
        notes=history.notes,
    )
    return record, remarks | bad_date | history.remarks | _unmapped(service)


def _status(text: str) -> Any:
    return "closed" if text.casefold().split(" - ")[0] in _CLOSED else "open"


def _closed_at(
    values: Mapping[str, Any], noted: datetime | None, import_map: ServiceMap
) -> tuple[datetime | None, set[Remark]]:
    """Return the closing time of the notes, else the time of the last change."""
    if noted:
        return noted, set()
    return parse_closing_time(text_of(values, "closed_datetime", "updated_datetime"), import_map.zone)


def _answers(value: object) -> dict[str, str]:
    """Return the answers to the service's questions; several choices become one text."""
    joined = {
        key: ", ".join(map(str, answer)) if isinstance(answer, list) else answer
        for key, answer in _table(value).items()
    }
    return texts_of(joined, joined)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _unmapped(service: str | None) -> set[Remark]:
    return set() if service else {Remark.NOT_IN_MAP}
