"""What one agency hears, on `agency.<id>.inbox.v1`: only what it may see."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug
from shared.events.fields import FieldGroup, Released
from shared.events.reasons import Reason


class InboxEvent(Event):
    """Something that the agency should know about one of its referrals."""

    classification: ClassVar[Classification] = Classification.CONFIDENTIAL
    referral_id: UUID
    sent_at: Instant

    @property
    def about(self) -> str:
        """The referral's id."""
        return str(self.referral_id)

    @property
    def happened_at(self) -> datetime:
        """When routing said it."""
        return self.sent_at


class HelpRequested(InboxEvent):
    """A program of the agency is asked to help with one need.

    Answer on `agency.<id>.updates.v1` before `answer_by`. With `record_only` the work was done elsewhere and is
    on record here: no answer is expected. `withheld` names the groups that exist and were not released.
    """

    type: Literal["referral.requested.v1"] = "referral.requested.v1"
    need_id: UUID
    need: Slug
    program: Slug
    submitted_at: Instant
    answer_by: Instant | None = None
    record_only: bool = False
    released: Released
    withheld: tuple[FieldGroup, ...] = ()


class HelpCancelled(InboxEvent):
    """The agency need not help any more."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"
    reason: Reason


class AnswerOverdue(InboxEvent):
    """The time to answer has passed, and nobody has answered; `escalated` is the second and last reminder."""

    type: Literal["referral.overdue.v1"] = "referral.overdue.v1"
    answer_by: Instant
    escalated: bool = False


class UpdateRefused(InboxEvent):
    """An update of this agency was not applied, and changed nothing."""

    type: Literal["update.refused.v1"] = "update.refused.v1"
    update_id: UUID
    update_type: str
    state: str
    explanation: str

    @property
    def about(self) -> str:
        """The refused update's id."""
        return str(self.update_id)


InboxMessage = Annotated[
    HelpRequested | HelpCancelled | AnswerOverdue | UpdateRefused,
    Field(discriminator="type"),
]
"""Everything that an agency hears."""
