"""The answers of Open311 GeoReport v2: services and cases as the public may see them, without anything personal."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import PlainSerializer

from services.intake.domain.case import CaseSummary, Note
from services.intake.domain.city import IntakeCity, centre_of
from services.intake.domain.progress import NOTE_TYPES
from services.intake.http.translations import Texts
from shared.city.service_list import Attribute, Datatype, ServiceKind
from shared.kit.http.replies import JsonAnswer


def _write_seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


W3CTime = Annotated[datetime, PlainSerializer(_write_seconds, return_type=str)]
"""A time in UTC, to the second, as Open311 and the W3C's note on dates (NOTE-datetime) write it."""


class DiscoveryEndpoint(JsonAnswer):
    """One endpoint of the API, with its content types."""

    specification: str
    url: str
    changeset: str
    type: Literal["production", "test"]
    formats: list[str]


class DiscoveryDocument(JsonAnswer):
    """Where the API is, and whom to ask for a key."""

    changeset: str
    contact: str
    key_service: str
    endpoints: list[DiscoveryEndpoint]


class ServiceListItem(JsonAnswer):
    """A service that residents can ask for."""

    service_code: str
    service_name: str
    description: str
    metadata: bool
    type: Literal["realtime"]
    keywords: str
    group: str


class AttributeValue(JsonAnswer):
    """A choice of a question."""

    key: str
    name: str


class ServiceAttribute(JsonAnswer):
    """A question of a service; one with choices lists them."""

    variable: bool
    code: str
    datatype: Datatype
    required: bool
    datatype_description: str | None
    order: int
    description: str
    values: list[AttributeValue] | None = None


class ServiceDefinition(JsonAnswer):
    """The questions of a service, in their order."""

    service_code: str
    attributes: list[ServiceAttribute]


class FollowOnRequest(JsonAnswer):
    """The referral that a note is about."""

    service_request_id: str
    service_name: str
    agency_responsible: str


class RequestNote(JsonAnswer):
    """Something that happened to a case (Chicago's extension)."""

    datetime: W3CTime
    summary: str
    type: Literal["opened", "activity", "follow_on_created", "follow_on_closed", "closed"]
    extended_attributes: FollowOnRequest | None = None


class RequestAttributes(JsonAnswer):
    """How and where a case was reported (Chicago's extension)."""

    channel: str
    district: str | None


class ServiceRequest(JsonAnswer):
    """A case as the public may see it: no description, no address; the place is the centre of a cell of 0.7 km²."""

    service_request_id: str
    status: Literal["open", "closed"]
    status_notes: str | None
    service_name: str
    service_code: str
    description: str | None
    agency_responsible: str | None
    service_notice: str | None
    requested_datetime: W3CTime
    updated_datetime: W3CTime
    expected_datetime: str | None
    address: str | None
    address_id: str | None
    zipcode: str | None
    lat: float | None
    long: float | None
    media_url: str | None
    extended_attributes: RequestAttributes | None = None
    notes: list[RequestNote] | None = None


class RequestToken(JsonAnswer):
    """The number of the case that a token opens."""

    service_request_id: str
    token: str


def discovery_document(jurisdiction: IntakeCity, public_url: str) -> DiscoveryDocument:
    """Describe the API at its public address."""
    city = jurisdiction.profile
    endpoint = DiscoveryEndpoint(
        specification="http://wiki.open311.org/GeoReport_v2",
        url=f"{public_url}/open311/v2",
        changeset=jurisdiction.changed,
        type="production",
        formats=["text/xml", "application/json"],
    )
    return DiscoveryDocument(
        changeset=jurisdiction.changed,
        contact=f"{city.name}: {city.contact_email}, {city.contact_phone}",
        key_service=f"Ask {city.contact_email} for an API key",
        endpoints=[endpoint],
    )


def service_list_item(service: ServiceKind) -> ServiceListItem:
    """Describe a service as a line of the list."""
    return ServiceListItem(
        service_code=service.code,
        service_name=service.name,
        description=service.description,
        metadata=bool(service.attribute),
        type=service.type,
        keywords=", ".join(service.keywords),
        group=service.group,
    )


def service_definition(service: ServiceKind) -> ServiceDefinition:
    """Describe the questions of a service."""
    return ServiceDefinition(service_code=service.code, attributes=[_attribute(each) for each in service.questions])


def _attribute(attribute: Attribute) -> ServiceAttribute:
    return ServiceAttribute(
        variable=attribute.variable,
        code=attribute.code,
        datatype=attribute.datatype,
        required=attribute.required,
        datatype_description=attribute.datatype_description or None,
        order=attribute.order,
        description=attribute.description,
        values=[AttributeValue(key=each.key, name=each.name) for each in attribute.values] or None,
    )


def service_request(
    case: CaseSummary, jurisdiction: IntakeCity, texts: Texts, notes: Iterable[Note] | None = None
) -> ServiceRequest:
    """Describe a case; with `notes`, also what Chicago's extension adds, in the order in which it happened."""
    service = jurisdiction.catalogue.services.get(case.service_code)
    lat, long = centre_of(case.cell)
    is_extended = notes is not None
    history = (Note(case.submitted_at, "opened"), *(notes or ()))
    return ServiceRequest(
        service_request_id=case.service_request_id,
        status=case.status,
        status_notes=texts.describe_note(f"closed-{case.resolution}", None, None) if case.resolution else None,
        service_name=service.name if service else case.service_code,
        service_code=case.service_code,
        description=None,
        agency_responsible=", ".join(jurisdiction.agency_name(agency) for agency in case.agencies) or None,
        service_notice=None,
        requested_datetime=case.submitted_at,
        updated_datetime=case.last_change,
        expected_datetime=None,
        address=None,
        address_id=None,
        zipcode=None,
        lat=lat,
        long=long,
        media_url=None,
        extended_attributes=RequestAttributes(channel=case.channel, district=case.district) if is_extended else None,
        notes=[_request_note(each, jurisdiction, texts) for each in history] if is_extended else None,
    )


def _request_note(note: Note, jurisdiction: IntakeCity, texts: Texts) -> RequestNote:
    return RequestNote(
        datetime=note.happened_at,
        summary=texts.describe_note(note.kind, note.agency, note.need),
        type=NOTE_TYPES.get(note.kind, "activity"),
        extended_attributes=FollowOnRequest(
            service_request_id=str(note.referral_id),
            service_name=texts.need(note.need or ""),
            agency_responsible=jurisdiction.agency_name(note.agency),
        )
        if note.agency
        else None,
    )
