"""Routing's events to the other services, on `routing.referrals.v1`. No personal data, no free text."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.disclosures import DisclosureMade, DisclosureRecalled, EmergencyAccessOpened
from shared.events.event import Event, Instant, Slug, Value
from shared.events.reasons import Reason
from shared.events.referrals import (
    ReferralAccepted,
    ReferralCancelled,
    ReferralCompleted,
    ReferralEscalated,
    ReferralFailed,
    ReferralHeld,
    ReferralOverdue,
    ReferralRejected,
    ReferralRequested,
    ReferralResumed,
    ReferralStarted,
    ReferralTransferred,
)


class RoutedNeed(Value):
    """One need of a case and the program that it is referred to."""

    need_id: UUID
    need: Slug
    referral_id: UUID
    agency: Slug
    program: Slug


class CaseRouted(Event):
    """Every need of the case was decided; the needs in `unrouted` are in the triage queue."""

    type: Literal["case.routed.v1"] = "case.routed.v1"
    routed: tuple[RoutedNeed, ...] = ()
    unrouted: tuple[UUID, ...] = ()
    submitted_at: Instant
    routed_at: Instant
    record_only: bool = False

    @property
    def happened_at(self) -> datetime:
        """When routing decided."""
        return self.routed_at


class CaseUnroutable(Event):
    """No program is left for one need: it is in the triage queue."""

    type: Literal["case.unroutable.v1"] = "case.unroutable.v1"
    need_id: UUID
    need: Slug
    reason: Reason
    submitted_at: Instant
    unroutable_at: Instant

    @property
    def identity_key(self) -> str:
        """The need's id."""
        return str(self.need_id)

    @property
    def happened_at(self) -> datetime:
        """When routing put the need into the triage queue."""
        return self.unroutable_at


class CaseResolved(Event):
    """Every need of the case has ended; with `completed` every need was met."""

    type: Literal["case.resolved.v1"] = "case.resolved.v1"
    resolution: Literal["completed", "not-completed", "withdrawn"]
    submitted_at: Instant
    resolved_at: Instant
    record_only: bool = False

    @property
    def happened_at(self) -> datetime:
        """When the last need ended."""
        return self.resolved_at


RoutingEvent = Annotated[
    CaseRouted
    | CaseUnroutable
    | CaseResolved
    | ReferralRequested
    | ReferralAccepted
    | ReferralRejected
    | ReferralStarted
    | ReferralHeld
    | ReferralResumed
    | ReferralCompleted
    | ReferralFailed
    | ReferralCancelled
    | ReferralOverdue
    | ReferralEscalated
    | ReferralTransferred
    | DisclosureMade
    | DisclosureRecalled
    | EmergencyAccessOpened,
    Field(discriminator="type"),
]
"""Every event that routing publishes to the other services."""
