"""Services and cases as Open311 shows them, to everybody: nothing here is personal."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from services.intake.domain.case import CaseSummary, Note
from services.intake.domain.city import IntakeCity, centre_of
from services.intake.domain.progress import NOTE_TYPES
from shared.city.service_list import Attribute, ServiceKind

Row = dict[str, object]


class NoteTexts(Protocol):
    """Puts codes into words."""

    def note(self, kind: str, agency: str | None, need: str | None) -> str:
        """Put a note into words."""
        ...

    def need(self, code: str) -> str:
        """Name a need."""
        ...


def format_time(moment: datetime | None) -> str | None:
    """Write a moment in UTC to the second, as the W3C's note on dates has it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


def service_row(service: ServiceKind) -> Row:
    """Return a line of the service list."""
    return {
        "service_code": service.code,
        "service_name": service.name,
        "description": service.description,
        "metadata": bool(service.attribute),
        "type": service.type,
        "keywords": ", ".join(service.keywords),
        "group": service.group,
    }


def service_definition(service: ServiceKind) -> Row:
    """Return the questions of a service."""
    return {"service_code": service.code, "attributes": [_attribute_row(each) for each in service.questions]}


def _attribute_row(attribute: Attribute) -> Row:
    row: Row = {
        "variable": attribute.variable,
        "code": attribute.code,
        "datatype": attribute.datatype,
        "required": attribute.required,
        "datatype_description": attribute.datatype_description or None,
        "order": attribute.order,
        "description": attribute.description,
    }
    if attribute.values:
        row["values"] = [{"key": choice.key, "name": choice.name} for choice in attribute.values]
    return row


def discovery_document(jurisdiction: IntakeCity, public_url: str) -> Row:
    """Return the service discovery document."""
    city = jurisdiction.profile
    endpoint: Row = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{public_url}/open311/v2",
        "changeset": jurisdiction.changed,
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    return {
        "changeset": jurisdiction.changed,
        "contact": f"{city.name}: {city.contact_email}, {city.contact_phone}",
        "key_service": f"Ask {city.contact_email} for an API key",
        "endpoints": [endpoint],
    }


def request_row(case: CaseSummary, jurisdiction: IntakeCity, words: NoteTexts) -> Row:
    """Return a case as everybody may see it: no words, no address; the place is the centre of a cell of 0.7 km²."""
    service = jurisdiction.catalogue.services.get(case.service_code)
    lat, long = centre_of(case.cell)
    agencies = ", ".join(jurisdiction.agency_name(agency) for agency in case.agencies)
    return {
        "service_request_id": case.service_request_id,
        "status": case.status,
        "status_notes": words.note(f"closed-{case.resolution}", None, None) if case.resolution else None,
        "service_name": service.name if service else case.service_code,
        "service_code": case.service_code,
        "description": None,
        "agency_responsible": agencies or None,
        "service_notice": None,
        "requested_datetime": format_time(case.submitted_at),
        "updated_datetime": format_time(case.last_change),
        "expected_datetime": None,
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": lat,
        "long": long,
        "media_url": None,
    }


def extended_attributes(case: CaseSummary, notes: Iterable[Note], jurisdiction: IntakeCity, words: NoteTexts) -> Row:
    """Return what Chicago's extension adds: the channel, the district, and what happened in order."""
    attributes: Mapping[str, object] = {"channel": case.channel, "district": case.district}
    opened = Note(case.submitted_at, "opened")
    lines = [_note_row(note, jurisdiction, words) for note in (opened, *notes)]
    return {"extended_attributes": attributes, "notes": lines}


def _note_row(note: Note, jurisdiction: IntakeCity, words: NoteTexts) -> Row:
    row: Row = {
        "datetime": format_time(note.happened_at),
        "summary": words.note(note.kind, note.agency, note.need),
        "type": NOTE_TYPES.get(note.kind, "activity"),
    }
    if note.agency:
        row["extended_attributes"] = {
            "service_request_id": str(note.referral_id),
            "service_name": words.need(note.need or ""),
            "agency_responsible": jurisdiction.agency_name(note.agency),
        }
    return row
