"""What one agency says, on `agency.<id>.updates.v1`."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug
from shared.events.reasons import Reason


class AgencyUpdate(Event):
    """Something that the agency did about one of its referrals, at the agency's own time."""

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
    """An update that must say why: a code that is counted, and words for whoever follows up."""

    reason: Reason
    explanation: str = Field(min_length=1, max_length=2000)


class ReferralAccepted(AgencyUpdate):
    """We will help, and have not started yet."""

    type: Literal["referral.accepted.v1"] = "referral.accepted.v1"


class ReferralRejected(ReasonedUpdate):
    """We will not help."""

    type: Literal["referral.rejected.v1"] = "referral.rejected.v1"


class ReferralStarted(AgencyUpdate):
    """We have begun."""

    type: Literal["referral.started.v1"] = "referral.started.v1"


class ReferralHeld(ReasonedUpdate):
    """We are waiting for something."""

    type: Literal["referral.held.v1"] = "referral.held.v1"


class ReferralResumed(AgencyUpdate):
    """We go on."""

    type: Literal["referral.resumed.v1"] = "referral.resumed.v1"


class ReferralCompleted(AgencyUpdate):
    """The need has been met."""

    type: Literal["referral.completed.v1"] = "referral.completed.v1"


class ReferralFailed(ReasonedUpdate):
    """We tried, and the need has not been met."""

    type: Literal["referral.failed.v1"] = "referral.failed.v1"


class ReferralCancelled(ReasonedUpdate):
    """We take our acceptance back."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"


class ReferralTransferred(ReasonedUpdate):
    """This belongs to another program."""

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
"""Everything that an agency may say."""
