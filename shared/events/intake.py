"""What intake says, on `intake.cases.v1`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Event, Instant, Slug, Value
from shared.events.fields import FieldGroup

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


CaseEvent = Annotated[CaseSubmitted | CaseWithdrawn, Field(discriminator="type")]
"""Everything that intake says."""
