"""What intake says, on `intake.cases.v1`."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug, Value
from shared.events.fields import RESTRICTED, FieldGroup

Urgency = Literal["routine", "urgent", "emergency"]
Channel = Literal["web", "api", "phone", "agency", "import"]


class Need(Value):
    """One thing to be solved."""

    need_id: UUID
    need: Slug


class Place(Value):
    """Roughly where: an H3 cell (resolution 8) and the district that holds it, where known."""

    cell: str | None = None
    district: Slug | None = None


class Origin(Value):
    """How the case came in; `source` and `external_id` name the record that an import was made from."""

    channel: Channel
    source: Slug | None = None
    external_id: str | None = None


class RecordedReferral(Value):
    """What is known from an imported record about work that another system did for one need."""

    need_id: UUID
    opened_at: Instant
    answered_at: Instant | None = None
    closed_at: Instant | None = None


class CaseSubmitted(Event):
    """A resident's report has been filed and is kept.

    `sealed` holds one block for each field group that was given, each under the key of `person_id`.
    `recorded` is there for imported cases only: it must be recorded, not acted on, where work is closed.
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
    """The person who reported wants nothing further to be done."""

    type: Literal["case.withdrawn.v1"] = "case.withdrawn.v1"
    withdrawn_at: Instant

    @property
    def happened_at(self) -> datetime:
        """When it was withdrawn."""
        return self.withdrawn_at


class ConsentEvent(Event):
    """Something that the person decided about what may be given to whom."""

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
    """The person allows these agencies to be given these groups, for this purpose, until `ends_at`.

    It tells that there is a consent; whether it counts at a given moment is decided by the record in the vault.
    """

    type: Literal["consent.granted.v1"] = "consent.granted.v1"
    recipients: tuple[Slug, ...] = Field(min_length=1)
    groups: tuple[FieldGroup, ...] = Field(min_length=1)
    purpose: Slug
    ends_at: Instant

    @property
    def is_restricted(self) -> bool:
        """Tell whether it names a restricted group."""
        return not RESTRICTED.isdisjoint(self.groups)


class ConsentWithdrawn(ConsentEvent):
    """The person has taken a consent back: nothing more is given under it, and what was given is recalled."""

    type: Literal["consent.withdrawn.v1"] = "consent.withdrawn.v1"


class PersonErased(Event):
    """The person's key is gone: whatever was sealed with it is unreadable, here and in every copy."""

    type: Literal["person.erased.v1"] = "person.erased.v1"
    person_id: UUID
    erased_at: Instant

    @property
    def identity_key(self) -> str:
        """The person's id."""
        return str(self.person_id)

    @property
    def happened_at(self) -> datetime:
        """When the key was destroyed."""
        return self.erased_at


CaseEvent = Annotated[
    CaseSubmitted | CaseWithdrawn | ConsentGranted | ConsentWithdrawn | PersonErased,
    Field(discriminator="type"),
]
"""Everything that intake says."""
