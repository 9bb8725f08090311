"""Reads the notes of one of Chicago's requests: its history, and the work that was handed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.cli.import_files.mapping import ServiceMap
from deploy.cli.import_files.values import UnreadableRowError, required, required_moment, text_of
from services.intake.domain.import_record import FollowOn, ImportNote, Remark


@dataclass(frozen=True, slots=True)
class History:
    """What the notes of one request say."""

    notes: tuple[ImportNote, ...]
    follow_ons: tuple[FollowOn, ...]
    answered_at: datetime | None
    closed_at: datetime | None
    remarks: set[Remark]


@dataclass(frozen=True, slots=True)
class _Told:
    """One note, and the follow-on that it names, if any."""

    note: ImportNote
    follow_on: Mapping[str, Any] | None


def history_of(value: object, requested_at: datetime, import_map: ServiceMap) -> History:
    """Read the notes; one that cannot be read is left out, and remarked upon."""
    raw = value if isinstance(value, list) else []
    told = [note for note in (_read_note(item, import_map) for item in raw) if note]
    ids = dict.fromkeys(text_of(t.follow_on, "service_request_id") for t in told if t.follow_on is not None)
    joined = [_join(told, external_id, requested_at, import_map) for external_id in ids if external_id]
    remarks = {Remark.BAD_NOTE} if len(told) < len(raw) else set()
    if not all(started for _, started in joined):
        remarks.add(Remark.FOLLOW_ON_WITHOUT_START)
    return History(
        notes=tuple(t.note for t in told),
        follow_ons=tuple(follow_on for follow_on, _ in joined),
        answered_at=_first(told, "activity"),
        closed_at=_first(told, "closed"),
        remarks=remarks,
    )


def _read_note(item: object, import_map: ServiceMap) -> _Told | None:
    if not isinstance(item, dict):
        return None
    try:
        note = ImportNote(
            at=required_moment(item, "datetime", import_map.zone),
            kind=required(item, "type"),
            summary=text_of(item, "summary"),
            description=text_of(item, "description") or None,
        )
    except UnreadableRowError:
        return None
    extended = item.get("extended_attributes")
    names_one = note.kind.startswith("follow_on") and isinstance(extended, dict)
    return _Told(note, extended if names_one else None)


def _join(told: list[_Told], external_id: str, requested_at: datetime, import_map: ServiceMap) -> tuple[FollowOn, bool]:
    """Make one follow-on of the notes that name it; without a start it counts from the request itself."""
    about = [t for t in told if t.follow_on is not None and text_of(t.follow_on, "service_request_id") == external_id]
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


def _first(told: list[_Told], kind: str) -> datetime | None:
    return min((t.note.at for t in told if t.note.kind == kind), default=None)
