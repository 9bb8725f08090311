"""What one agency hears, on `agency.<id>.inbox.v1`: only what it may see."""

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug, Value
from shared.events.fields import RESTRICTED, FieldGroup, Released
from shared.events.reasons import Reason

UNDISCLOSED: Final = "undisclosed"
"""Stands for the need and the program of a referral whose very nature is restricted; see `Disclosed`."""


class Terms(Value):
    """What the agency has to keep to with some of what it was given: an agreement, and a consent where one was needed.

    Without `onward` it may not be handed on. `notice` must go with it wherever it goes.
    """

    agreement: str
    version: int
    groups: tuple[FieldGroup, ...]
    onward: bool = False
    retain_days: int | None = None
    consent_id: UUID | None = None
    notice: str | None = None


class Disclosed(Value):
    """What a sealed block holds when it is opened, and what the partner API answers about a referral."""

    need: Slug
    program: Slug
    released: Released
    withheld: tuple[FieldGroup, ...] = ()
    terms: tuple[Terms, ...] = ()


class InboxEvent(Event):
    """Something that the agency should know about one of its referrals."""

    classification: ClassVar[Classification] = Classification.CONFIDENTIAL
    referral_id: UUID
    sent_at: Instant

    @property
    def identity_key(self) -> str:
        """The referral's id."""
        return str(self.referral_id)

    @property
    def happened_at(self) -> datetime:
        """When routing said it."""
        return self.sent_at


class DisclosingEvent(InboxEvent):
    """An event that gives the agency something.

    `released` is there for all who may read the topic. `sealed` is a JWE (RFC 7516) to the agency's own key, of the
    JSON of `Disclosed`. `link` is where the agency reads the rest; each read is a disclosure of its own.
    `withheld` names the groups that are given in none of these forms, whether the case has them or not: what a case has
    is not told by what is kept back.
    """

    restricted_label: ClassVar[Classification | None] = Classification.RESTRICTED
    released: Released
    withheld: tuple[FieldGroup, ...] = ()
    sealed: str | None = None
    link: str | None = None
    terms: tuple[Terms, ...] = ()
    receipt_id: UUID | None = None

    @property
    def is_restricted(self) -> bool:
        """Tell whether a restricted group is given, in whatever form."""
        return any(group in RESTRICTED for terms in self.terms for group in terms.groups)


class ReferralRequested(DisclosingEvent):
    """A program of the agency is asked to help with one need.

    Answer on `agency.<id>.updates.v1` before `answer_by`. With `record_only` the work was done elsewhere and is
    on record here: no answer is expected. Need and program are `undisclosed` where their very nature is restricted:
    the sealed block or the link tells them.
    """

    type: Literal["referral.requested.v1"] = "referral.requested.v1"
    need_id: UUID
    need: Slug
    program: Slug
    submitted_at: Instant
    answer_by: Instant | None = None
    record_only: bool = False

    @property
    def is_restricted(self) -> bool:
        """Tell whether a restricted group is given, or the nature of the referral is restricted."""
        return self.need == UNDISCLOSED or super().is_restricted


class ReferralAmended(DisclosingEvent):
    """The agency may see more of a referral than before: this is all of it now, in place of what was said earlier."""

    type: Literal["referral.amended.v1"] = "referral.amended.v1"


class DisclosureRecalled(InboxEvent):
    """What these receipts gave may not be used any more: delete it, and say so to whom it was handed on."""

    type: Literal["disclosure.recalled.v1"] = "disclosure.recalled.v1"
    groups: tuple[FieldGroup, ...]
    receipts: tuple[UUID, ...]
    consent_id: UUID
    why: Literal["consent-withdrawn", "consent-expired"]

    @property
    def identity_key(self) -> str:
        """The referral and the consent."""
        return f"{self.referral_id}|{self.consent_id}"


class PersonErased(InboxEvent):
    """The person whom the referral is about has been erased here: delete what you hold of them."""

    type: Literal["person.erased.v1"] = "person.erased.v1"


class EmergencyAccess(InboxEvent):
    """Another agency has opened in an emergency what was withheld from it, in a case that this agency works on."""

    type: Literal["emergency.access.v1"] = "emergency.access.v1"
    agency: Slug
    access_id: UUID
    ends_at: Instant

    @property
    def identity_key(self) -> str:
        """The referral and the access."""
        return f"{self.referral_id}|{self.access_id}"


class ReferralCancelled(InboxEvent):
    """The agency need not help any more."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"
    reason: Reason


class ReferralOverdue(InboxEvent):
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
    def identity_key(self) -> str:
        """The refused update's id."""
        return str(self.update_id)


InboxMessage = Annotated[
    ReferralRequested
    | ReferralAmended
    | ReferralCancelled
    | ReferralOverdue
    | UpdateRefused
    | DisclosureRecalled
    | PersonErased
    | EmergencyAccess,
    Field(discriminator="type"),
]
"""Everything that an agency hears."""
