"""Data-sharing agreements as in their TOML files: parties, groups, legal basis, conditions and dates."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Urgency

FRONT_DOOR: Final = "front-door"
"""The party that residents report to. The other sources of a case are the agencies with a referral in it."""


class Form(StrEnum):
    """How released fields travel."""

    FULL = "full"
    """In the event, readable by every reader of the agency's inbox."""

    SEALED = "sealed"
    """In the event, encrypted to the agency's public key; an agency without one is given nothing this way."""

    THIN = "thin"
    """Not in the event: the agency reads them through the partner API, and each read is a disclosure."""


class Status(StrEnum):
    """Whether the parties hold to an agreement; only under an active one anything flows."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class StrictModel(BaseModel):
    """A part of an agreement; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Contact(StrictModel):
    """Whom to ask at one of the parties."""

    party: Slug
    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class Clause(StrictModel):
    """One `[[share]]`: these groups may go from these parties to those, in this form, under these conditions.

    `needs`, `services`, `districts` and `urgency` are conditions; one that is left out does not limit anything. A case
    without a district meets no condition on the district. With `consent` the person's consent is needed on top.
    """

    id: Slug
    sources: tuple[Slug, ...] = Field(min_length=1, alias="from")
    recipients: tuple[Slug, ...] = Field(min_length=1, alias="to")
    groups: tuple[FieldGroup, ...] = Field(min_length=1)
    form: Form
    needs: tuple[Slug, ...] | None = Field(default=None, min_length=1)
    services: tuple[Slug, ...] | None = Field(default=None, min_length=1)
    districts: tuple[Slug, ...] | None = Field(default=None, min_length=1)
    urgency: tuple[Urgency, ...] | None = Field(default=None, min_length=1)
    consent: bool = False
    delay_days: int = Field(default=0, ge=0)
    """For how many days the law lets the person's own view be silent about a disclosure under this clause."""
    why: str = Field(min_length=1)


class Agreement(StrictModel):
    """One data-sharing agreement, in one version.

    It holds from the first moment of `starts` to the last one of `ends`, both days in UTC, while it is active.
    `onward` says whether a recipient may pass on what it was given, `retain_days` for how long it may keep it.
    """

    id: Slug
    version: int = Field(ge=1)
    title: str = Field(min_length=1)
    purpose: Slug
    legal_basis: str = Field(min_length=1)
    status: Status
    starts: date
    ends: date
    review: date | None = None
    onward: bool = False
    retain_days: int = Field(ge=1)
    contacts: tuple[Contact, ...] = Field(min_length=1)
    parties: tuple[Slug, ...] = Field(min_length=2)
    share: tuple[Clause, ...] = Field(min_length=1)

    @property
    def begins_at(self) -> datetime:
        """The first moment at which it holds."""
        return datetime.combine(self.starts, time(), UTC)

    @property
    def ends_before(self) -> datetime:
        """The first moment at which it holds no more."""
        return datetime.combine(self.ends, time(), UTC) + timedelta(days=1)

    def holds(self, at: datetime) -> bool:
        """Tell whether anything may flow under it at a moment."""
        return self.status is Status.ACTIVE and self.begins_at <= at < self.ends_before

    def ground(self, clause: Clause) -> str:
        """Return the id under which a clause is named as the reason of a disclosure."""
        return f"{self.id}/{clause.id}"

    @model_validator(mode="after")
    def _is_of_one_piece(self) -> Self:
        if self.ends < self.starts or self.ends == date.max:
            raise ValueError("ends before it starts, or never")
        if len({clause.id for clause in self.share}) < len(self.share):
            raise ValueError("two shares have the same id")
        named = {party for clause in self.share for party in (*clause.sources, *clause.recipients)}
        if strangers := sorted(named - set(self.parties)):
            raise ValueError(f"not a party: {', '.join(strangers)}")
        return self
