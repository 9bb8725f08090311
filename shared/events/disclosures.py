"""Routing's events about disclosures, on `routing.referrals.v1`. No personal data, no free text."""

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
    """An event about data of one referral that was disclosed to one agency."""

    restricted_label: ClassVar[Classification | None] = Classification.RESTRICTED
    referral_id: UUID
    agency: Slug
    groups: tuple[FieldGroup, ...]
    occurred_at: Instant

    @property
    def happened_at(self) -> datetime:
        """When the data was disclosed or recalled."""
        return self.occurred_at

    @property
    def is_restricted(self) -> bool:
        """Whether a restricted group is among them."""
        return not RESTRICTED.isdisjoint(self.groups)


class DisclosureMade(DisclosureEvent):
    """Data was disclosed to an agency: in an event, by a read, or by emergency access.

    `shown_from` is the end of the embargo: when the person may see the entry, if an agreement lawfully delays it.
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
    """Data that was disclosed under these receipts was recalled from an agency."""

    type: Literal["disclosure.recalled.v1"] = "disclosure.recalled.v1"
    receipts: tuple[UUID, ...]
    consent_id: UUID
    why: Literal["consent-withdrawn", "consent-expired"]

    @property
    def identity_key(self) -> str:
        """The referral and the consent."""
        return f"{self.referral_id}|{self.consent_id}"


class EmergencyAccessOpened(DisclosureEvent):
    """A caseworker opened withheld data by emergency access, until `ends_at`; a privacy officer reviews it afterwards.

    `shown_from` is the end of the embargo: when the person may see the entry, if an agreement lawfully delays it.
    """

    type: Literal["emergency.opened.v1"] = "emergency.opened.v1"
    access_id: UUID
    ends_at: Instant
    shown_from: Instant | None = None

    @property
    def identity_key(self) -> str:
        """The id of the access."""
        return str(self.access_id)
