"""What routing says about what was given to whom, on `routing.referrals.v1`. No personal data, no free text."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug, Value
from shared.events.fields import RESTRICTED, FieldGroup


class Ground(Value):
    """What allowed a disclosure: a clause of an agreement (with its version), a consent, or an emergency access."""

    kind: Literal["agreement", "consent", "emergency"]
    id: str
    version: int | None = None


class DisclosureEvent(Event):
    """Something about what one agency was given of one referral."""

    restricted_label: ClassVar[Classification | None] = Classification.RESTRICTED
    referral_id: UUID
    agency: Slug
    groups: tuple[FieldGroup, ...]
    occurred_at: Instant

    @property
    def happened_at(self) -> datetime:
        """When it was given, or recalled."""
        return self.occurred_at

    @property
    def is_restricted(self) -> bool:
        """Tell whether a restricted group is concerned."""
        return not RESTRICTED.isdisjoint(self.groups)


class DisclosureMade(DisclosureEvent):
    """An agency was given something: in an event, by a read of its own, or by an access in an emergency.

    `shown_from` is when the person may see it, where an agreement lawfully delays that.
    """

    type: Literal["disclosure.made.v1"] = "disclosure.made.v1"
    receipt_id: UUID
    channel: Literal["event", "read", "emergency"]
    purpose: Slug
    grounds: tuple[Ground, ...] = Field(min_length=1)
    shown_from: Instant | None = None

    @property
    def identity_key(self) -> str:
        """The receipt's id."""
        return str(self.receipt_id)


class DisclosureRecalled(DisclosureEvent):
    """An agency was told not to use any more what these receipts gave."""

    type: Literal["disclosure.recalled.v1"] = "disclosure.recalled.v1"
    receipts: tuple[UUID, ...]
    consent_id: UUID
    why: Literal["consent-withdrawn", "consent-expired"]

    @property
    def identity_key(self) -> str:
        """The referral and the consent."""
        return f"{self.referral_id}|{self.consent_id}"


class EmergencyAccessOpened(DisclosureEvent):
    """A caseworker has opened in an emergency what was withheld, until `ends_at`; somebody reviews it afterwards.

    `shown_from` is when the person may hear of it, where an agreement lawfully delays that.
    """

    type: Literal["emergency.opened.v1"] = "emergency.opened.v1"
    access_id: UUID
    ends_at: Instant
    shown_from: Instant | None = None

    @property
    def identity_key(self) -> str:
        """The access's id."""
        return str(self.access_id)
