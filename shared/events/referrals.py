"""Routing's events about referrals, on `routing.referrals.v1`. No personal data, no free text."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Event, Instant, Slug
from shared.events.reasons import Reason


class ReferralEvent(Event):
    """A change of one referral.

    `occurred_at` is the agency's time for the agency's changes and routing's time for all others.
    `record_only` marks imported history: agencies do not act on it and no person is notified.
    """

    referral_id: UUID
    need_id: UUID
    need: Slug
    agency: Slug
    program: Slug
    submitted_at: Instant
    occurred_at: Instant
    record_only: bool = False

    @property
    def identity_key(self) -> str:
        """The referral's id."""
        return str(self.referral_id)

    @property
    def happened_at(self) -> datetime:
        """When it occurred."""
        return self.occurred_at


class ReferralRequested(ReferralEvent):
    """A need was referred to a program."""

    type: Literal["referral.requested.v1"] = "referral.requested.v1"
    answer_by: Instant | None = None
    attempt: int = Field(default=1, ge=1)


class ReferralAccepted(ReferralEvent):
    """The agency has agreed to help and has not started yet."""

    type: Literal["referral.accepted.v1"] = "referral.accepted.v1"


class ReferralRejected(ReferralEvent):
    """The agency rejected the referral; its explanation stays with routing."""

    type: Literal["referral.rejected.v1"] = "referral.rejected.v1"
    reason: Reason


class ReferralStarted(ReferralEvent):
    """The agency has started work."""

    type: Literal["referral.started.v1"] = "referral.started.v1"


class ReferralHeld(ReferralEvent):
    """The referral is on hold; `agency_controls` tells whether the agency can end the hold itself."""

    type: Literal["referral.held.v1"] = "referral.held.v1"
    reason: Reason
    agency_controls: bool


class ReferralResumed(ReferralEvent):
    """The agency has resumed work."""

    type: Literal["referral.resumed.v1"] = "referral.resumed.v1"


class ReferralCompleted(ReferralEvent):
    """The need has been met."""

    type: Literal["referral.completed.v1"] = "referral.completed.v1"


class ReferralFailed(ReferralEvent):
    """The agency ended its work and the need is not met."""

    type: Literal["referral.failed.v1"] = "referral.failed.v1"
    reason: Reason


class ReferralCancelled(ReferralEvent):
    """Routing or the agency cancelled the referral."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"
    reason: Reason


class ReferralOverdue(ReferralEvent):
    """The agency has not answered in time and was reminded."""

    type: Literal["referral.overdue.v1"] = "referral.overdue.v1"
    answer_by: Instant


class ReferralEscalated(ReferralEvent):
    """The agency has not answered after a reminder; its supervisor is notified."""

    type: Literal["referral.escalated.v1"] = "referral.escalated.v1"
    answer_by: Instant


class ReferralTransferred(ReferralEvent):
    """Ownership moved to another program; a new referral to it follows."""

    type: Literal["referral.transferred.v1"] = "referral.transferred.v1"
    to_agency: Slug
    to_program: Slug
