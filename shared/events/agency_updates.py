"""Events from one agency, on `agency.<id>.updates.v1`."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug
from shared.events.reasons import Reason


class AgencyUpdate(Event):
    """An agency's update of one of its referrals, with the agency's own time."""

    classification: ClassVar[Classification] = Classification.CONFIDENTIAL
    referral_id: UUID
    occurred_at: Instant

    @property
    def identity_key(self) -> str:
        """The referral's id."""
        return str(self.referral_id)

    @property
    def happened_at(self) -> datetime:
        """When the agency did it."""
        return self.occurred_at


class ReasonedUpdate(AgencyUpdate):
    """An update that requires a reason code, which is counted, and an explanation for caseworkers."""

    reason: Reason
    explanation: str = Field(min_length=1, max_length=2000)


class ReferralAccepted(AgencyUpdate):
    """The agency accepts the referral and has not started."""

    type: Literal["referral.accepted.v1"] = "referral.accepted.v1"


class ReferralRejected(ReasonedUpdate):
    """The agency rejects the referral."""

    type: Literal["referral.rejected.v1"] = "referral.rejected.v1"


class ReferralStarted(AgencyUpdate):
    """The agency has started work."""

    type: Literal["referral.started.v1"] = "referral.started.v1"


class ReferralHeld(ReasonedUpdate):
    """The agency has put the referral on hold."""

    type: Literal["referral.held.v1"] = "referral.held.v1"


class ReferralResumed(AgencyUpdate):
    """The agency has resumed work."""

    type: Literal["referral.resumed.v1"] = "referral.resumed.v1"


class ReferralCompleted(AgencyUpdate):
    """The need has been met."""

    type: Literal["referral.completed.v1"] = "referral.completed.v1"


class ReferralFailed(ReasonedUpdate):
    """The agency ended its work and the need is not met."""

    type: Literal["referral.failed.v1"] = "referral.failed.v1"


class ReferralCancelled(ReasonedUpdate):
    """The agency cancels a referral that it had accepted."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"


class ReferralTransferred(ReasonedUpdate):
    """The agency transfers the referral to another program."""

    type: Literal["referral.transferred.v1"] = "referral.transferred.v1"
    to_agency: Slug
    to_program: Slug


UpdateMessage = Annotated[
    ReferralAccepted
    | ReferralRejected
    | ReferralStarted
    | ReferralHeld
    | ReferralResumed
    | ReferralCompleted
    | ReferralFailed
    | ReferralCancelled
    | ReferralTransferred,
    Field(discriminator="type"),
]
"""Every event that an agency may publish."""
