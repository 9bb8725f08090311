"""Intake's events, on `intake.cases.v1`."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug, Value
from shared.events.fields import RESTRICTED, FieldGroup

Urgency = Literal["routine", "urgent", "emergency"]
Channel = Literal["web", "api", "phone", "agency", "import"]


class Need(Value):
    """One problem to solve."""

    need_id: UUID
    need: Slug


class Place(Value):
    """The coarse location: an H3 cell (resolution 8) and its district, if known."""

    cell: str | None = None
    district: Slug | None = None


class Origin(Value):
    """The channel of the report; an import has the `source` and `external_id` of its record."""

    channel: Channel
    source: Slug | None = None
    external_id: str | None = None


class RecordedReferral(Value):
    """Work for one need that another system did, from an imported record."""

    need_id: UUID
    opened_at: Instant
    answered_at: Instant | None = None
    closed_at: Instant | None = None


class CaseSubmitted(Event):
    """A service request was filed and is stored.

    `sealed` has one block for each supplied field group, encrypted with the key of `person_id`.
    `recorded` is set for imported cases only. Closed work is recorded, not acted on.
    """

    type: Literal["case.submitted.v1"] = "case.submitted.v1"
    service_request_id: str
    service_code: Slug
    needs: tuple[Need, ...] = Field(min_length=1)
    place: Place
    urgency: Urgency = "routine"
    language: str = "en"
    origin: Origin
    submitted_at: Instant
    person_id: UUID | None = None
    sealed: dict[FieldGroup, str] = Field(default={})
    recorded: tuple[RecordedReferral, ...] = ()

    @property
    def happened_at(self) -> datetime:
        """When the report was filed."""
        return self.submitted_at


class CaseWithdrawn(Event):
    """The person who reported withdrew the service request."""

    type: Literal["case.withdrawn.v1"] = "case.withdrawn.v1"
    withdrawn_at: Instant

    @property
    def happened_at(self) -> datetime:
        """When it was withdrawn."""
        return self.withdrawn_at


class ConsentEvent(Event):
    """A decision of the person about disclosures to agencies."""

    restricted_label: ClassVar[Classification | None] = Classification.RESTRICTED
    consent_id: UUID
    occurred_at: Instant

    @property
    def identity_key(self) -> str:
        """The consent's id."""
        return str(self.consent_id)

    @property
    def happened_at(self) -> datetime:
        """When the person decided."""
        return self.occurred_at


class ConsentGranted(ConsentEvent):
    """The person permits disclosure of these groups to these agencies, for this purpose, until `ends_at`.

    The event announces the consent. The record in the vault decides whether it is valid at a given moment.
    """

    type: Literal["consent.granted.v1"] = "consent.granted.v1"
    recipients: tuple[Slug, ...] = Field(min_length=1)
    groups: tuple[FieldGroup, ...] = Field(min_length=1)
    purpose: Slug
    ends_at: Instant

    @property
    def is_restricted(self) -> bool:
        """Whether the consent names a restricted group."""
        return not RESTRICTED.isdisjoint(self.groups)


class ConsentWithdrawn(ConsentEvent):
    """The person withdrew a consent: nothing more is disclosed under it, and earlier disclosures are recalled."""

    type: Literal["consent.withdrawn.v1"] = "consent.withdrawn.v1"


class PersonErased(Event):
    """The person's key was deleted: every block sealed with it is unreadable, here and in every copy."""

    type: Literal["person.erased.v1"] = "person.erased.v1"
    person_id: UUID
    erased_at: Instant

    @property
    def identity_key(self) -> str:
        """The person's id."""
        return str(self.person_id)

    @property
    def happened_at(self) -> datetime:
        """When the key was deleted."""
        return self.erased_at


CaseEvent = Annotated[
    CaseSubmitted | CaseWithdrawn | ConsentGranted | ConsentWithdrawn | PersonErased,
    Field(discriminator="type"),
]
"""Every event that intake publishes."""
