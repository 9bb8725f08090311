"""What routing says about one need at one program. No personal data, no free text."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Event, Instant, Slug
from shared.events.reasons import Reason


class ReferralEvent(Event):
    """Something that happened to one need at one program.

    `occurred_at` is the agency's own time for what an agency did, routing's for the rest.
    `record_only` marks history that was imported: nobody is to act on it or be told of it.
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
    """A program has been asked to help."""

    type: Literal["referral.requested.v1"] = "referral.requested.v1"
    answer_by: Instant | None = None
    attempt: int = Field(default=1, ge=1)


class ReferralAccepted(ReferralEvent):
    """The agency has agreed to help, and has not started yet."""

    type: Literal["referral.accepted.v1"] = "referral.accepted.v1"


class ReferralRejected(ReferralEvent):
    """The agency will not help; its own words stay with routing."""

    type: Literal["referral.rejected.v1"] = "referral.rejected.v1"
    reason: Reason


class ReferralStarted(ReferralEvent):
    """Work has begun."""

    type: Literal["referral.started.v1"] = "referral.started.v1"


class ReferralHeld(ReferralEvent):
    """Work is waiting; `agency_controls` tells whether the agency could end the wait itself."""

    type: Literal["referral.held.v1"] = "referral.held.v1"
    reason: Reason
    agency_controls: bool


class ReferralResumed(ReferralEvent):
    """Work goes on."""

    type: Literal["referral.resumed.v1"] = "referral.resumed.v1"


class ReferralCompleted(ReferralEvent):
    """The need has been met."""

    type: Literal["referral.completed.v1"] = "referral.completed.v1"


class ReferralFailed(ReferralEvent):
    """The agency tried, and the need has not been met."""

    type: Literal["referral.failed.v1"] = "referral.failed.v1"
    reason: Reason


class ReferralCancelled(ReferralEvent):
    """The referral has been taken back, by routing or by the agency."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"
    reason: Reason


class ReferralOverdue(ReferralEvent):
    """The time to answer has passed: the agency has been reminded."""

    type: Literal["referral.overdue.v1"] = "referral.overdue.v1"
    answer_by: Instant


class ReferralEscalated(ReferralEvent):
    """The time to answer has passed twice over: a supervisor of the agency is to look."""

    type: Literal["referral.escalated.v1"] = "referral.escalated.v1"
    answer_by: Instant


class ReferralTransferred(ReferralEvent):
    """Ownership has moved on to another program; a new referral to it follows."""

    type: Literal["referral.transferred.v1"] = "referral.transferred.v1"
    to_agency: Slug
    to_program: Slug
