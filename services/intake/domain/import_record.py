"""A service request of another system: the form in which it is imported, and the case that is made of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.intake.domain.city import IntakeCity
from services.intake.domain.new_case import CaseIdentifiers, ImportStatus, NewCase, SealedPerson
from services.intake.domain.personal_data import Personal, encode_groups, group_answers
from services.intake.domain.validation import CONTROL_CHARACTERS
from shared.city.service_list import ServiceKind
from shared.events.fields import FieldGroup
from shared.events.intake import Origin, Place, RecordedReferral
from shared.events.validation import first_error

# PostgreSQL stores no text that contains NUL.
_WITHOUT_NUL = r"^[^\x00]*$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=_WITHOUT_NUL)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_WITHOUT_NUL)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class Remark(StrEnum):
    """What is doubtful about a record that is imported nevertheless."""

    CLOSED_BEFORE_OPENED = "closed before it was opened"
    CLOSED_WITHOUT_DATE = "closed without a date"
    DATE_THOUGH_OPEN = "has a closing date, and a status other than closed"
    NO_ADDRESS = "no address"
    NO_COORDINATES = "no coordinates"
    BAD_COORDINATES = "coordinates cannot be read"
    BAD_CLOSING_DATE = "closing date cannot be read"
    NOT_IN_MAP = "nothing in the import map fits"
    BAD_NOTE = "a note cannot be read"
    FOLLOW_ON_WITHOUT_START = "a follow-on has no start"
    FOLLOW_ON_CLOSED_BEFORE_OPENED = "a follow-on was closed before it was opened"


class _Part(BaseModel):
    """A frozen part of a record; an unknown field is an error of the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportNote(_Part):
    """One entry in the history that the source has of a record."""

    at: AwareDatetime
    kind: Name
    summary: Text
    description: Text | None = None


class FollowOn(_Part):
    """Work that the source passed on to another of its agencies."""

    external_id: Name
    service_code: Code
    description: Text
    source_agency: Name
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None = None


class ImportRecord(_Part):
    """One service request of another system, with the times that are stored there.

    `district` is a name or alias of a district, `source_agency` and `channel` are the source's own words.
    """

    external_id: Name
    service_code: Code
    description: Text
    address: Text | None = None
    lat: Latitude | None = None
    long: Longitude | None = None
    district: Name | None = None
    postal_code: Annotated[str, StringConstraints(max_length=10)] | None = None
    requested_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    status: Literal["open", "closed"]
    status_notes: Text = ""
    source_agency: Name
    channel: Name
    attributes: dict[Name, Text] = {}
    first_answered_at: AwareDatetime | None = None
    follow_ons: tuple[FollowOn, ...] = ()
    notes: tuple[ImportNote, ...] = ()


def remarks_on(record: ImportRecord) -> tuple[Remark, ...]:
    """Return what is doubtful about a record, as far as the record alone shows it."""
    no_place = record.lat is None or record.long is None
    undated = record.status == "closed" and record.closed_at is None
    backwards = record.closed_at is not None and record.closed_at < record.requested_at
    follow_on = any(f.closed_at is not None and f.closed_at < f.opened_at for f in record.follow_ons)
    found = (
        (Remark.CLOSED_BEFORE_OPENED, backwards),
        (Remark.CLOSED_WITHOUT_DATE, undated),
        (Remark.DATE_THOUGH_OPEN, record.status == "open" and record.closed_at is not None),
        (Remark.NO_ADDRESS, not record.address),
        (Remark.NO_COORDINATES, no_place),
        (Remark.FOLLOW_ON_CLOSED_BEFORE_OPENED, follow_on),
    )
    return tuple(remark for remark, holds in found if holds)


@dataclass(frozen=True, slots=True)
class ReadableRecord:
    """A valid record, with its services from the catalogue; `protections` are the strictest first."""

    record: ImportRecord
    service: ServiceKind
    follow_ons: tuple[tuple[FollowOn, ServiceKind], ...]
    protections: tuple[FieldGroup, ...]


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that cannot be imported; `reason` names a field, and never quotes its value."""

    external_id: str
    reason: str


def read_record(content: Any, jurisdiction: IntakeCity) -> ReadableRecord | UnreadableRecord:
    """Read a record from parsed JSON, and find its services in the catalogue."""
    try:
        record = ImportRecord.model_validate(content)
    except ValidationError as error:
        name = content.get("external_id") if isinstance(content, dict) else None
        return UnreadableRecord(name if isinstance(name, str) else "", first_error(error, "record"))
    services = jurisdiction.catalogue.services
    codes = (record.service_code, *(follow_on.service_code for follow_on in record.follow_ons))
    unknown = [code for code in codes if code not in services]
    if unknown:
        return UnreadableRecord(record.external_id, f"service_code {unknown[0]} is not in the catalogue")
    if CONTROL_CHARACTERS.search(record.external_id):
        return UnreadableRecord(record.external_id, "external_id has control characters")
    follow_ons = tuple((each, services[each.service_code]) for each in record.follow_ons)
    service = services[record.service_code]
    needs = (service.needs[0], *(other.needs[0] for _, other in follow_ons))
    return ReadableRecord(record, service, follow_ons, jurisdiction.protections_of(service.code, needs))


def personal_of(readable: ReadableRecord) -> Personal:
    """Put what a record says of a person and a place into field groups."""
    record = readable.record
    answers = {code: (value,) for code, value in record.attributes.items()}
    point = (record.lat, record.long)
    lat, long = point if None not in point else (None, None)
    given: dict[str, object] = {
        "address_string": record.address or None,
        "postal_code": record.postal_code or None,
        "lat": lat,
        "long": long,
        "description": record.description or None,
    }
    return encode_groups({**given, **group_answers(answers, readable.service)})


def source_details(record: ImportRecord) -> bytes:
    """Return what a record has and a report has not, as JSON: the words and the history of its source."""
    return record.model_dump_json(include={"source_agency", "channel", "status_notes", "notes", "follow_ons"}).encode()


def case_from_record(
    readable: ReadableRecord, identity: CaseIdentifiers, sealed: SealedPerson, source: str, jurisdiction: IntakeCity
) -> NewCase:
    """Make the case of a record of this source, with the status that it has when it is imported."""
    record, service = readable.record, readable.service
    recorded_needs = tuple(_recorded_needs(readable, identity.case_id))
    return NewCase(
        identity=identity,
        service_code=service.code,
        needs=tuple((recorded.need_id, need) for need, recorded in recorded_needs),
        place=place_of(record, jurisdiction),
        urgency=service.urgency,
        language=jurisdiction.profile.default_language,
        origin=Origin(channel="import", source=source, external_id=record.external_id),
        submitted_at=record.requested_at,
        sealed=sealed,
        protected=bool(readable.protections),
        announced=FieldGroup.VICTIM_SERVICES not in readable.protections,
        import_status=_import_status(record),
        recorded=tuple(recorded for _, recorded in recorded_needs),
    )


def place_of(record: ImportRecord, jurisdiction: IntakeCity) -> Place:
    """Return the cell and district of a record: those of its point, else the district that it names."""
    named = jurisdiction.districts.named(record.district) if record.district else None
    if record.lat is None or record.long is None:
        return Place(district=named)
    at = jurisdiction.districts.at(record.lat, record.long)
    return at if at.district else Place(cell=at.cell, district=named)


def closing_time(record: ImportRecord) -> datetime | None:
    """Return when a record was closed: without a date, the latest time in it; None while it is open."""
    if record.status == "open":
        return None
    known = [record.requested_at, *(note.at for note in record.notes)]
    known += [
        moment for follow_on in record.follow_ons for moment in (follow_on.opened_at, follow_on.closed_at) if moment
    ]
    return record.closed_at or max(known)


def _recorded_needs(readable: ReadableRecord, case_id: UUID) -> Iterator[tuple[str, RecordedReferral]]:
    """Yield the need of the record itself and of each follow-on, with the times on record about it.

    Follow-ons of a closed record end with it at the latest.
    """
    record, closed_at = readable.record, closing_time(readable.record)
    own = readable.service.needs[0]
    yield (
        own,
        RecordedReferral(
            need_id=uuid5(case_id, own),
            opened_at=record.requested_at,
            answered_at=record.first_answered_at,
            closed_at=closed_at,
        ),
    )
    for number, (follow_on, service) in enumerate(readable.follow_ons):
        need_id = uuid5(case_id, f"{number}|{follow_on.external_id}")
        ended = follow_on.closed_at or closed_at
        yield service.needs[0], RecordedReferral(need_id=need_id, opened_at=follow_on.opened_at, closed_at=ended)


def _import_status(record: ImportRecord) -> ImportStatus:
    closed_at = closing_time(record)
    if closed_at is None:
        return ImportStatus(updated_at=record.requested_at)
    return ImportStatus("closed", closed_at, max(record.requested_at, closed_at))
