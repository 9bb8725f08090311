"""Events to one agency, on `agency.<id>.inbox.v1`: only what that agency may see."""

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from shared.events.event import Classification, Event, Instant, Slug, Value
from shared.events.fields import RESTRICTED, FieldGroup, Released
from shared.events.reasons import Reason

UNDISCLOSED: Final = "undisclosed"
"""Replaces need and program of a referral if these are themselves restricted; `Disclosed` has the real values."""


class Terms(Value):
    """The terms of use for some disclosed groups: the agreement, and the consent if one was required.

    `onward` false forbids passing the data on. `notice` must accompany the data.
    """

    agreement: str
    version: int
    groups: tuple[FieldGroup, ...]
    onward: bool = False
    retain_days: int | None = None
    consent_id: UUID | None = None
    notice: str | None = None


class Disclosed(Value):
    """The content of a decrypted sealed block, and the answer of the partner API for a referral."""

    need: Slug
    program: Slug
    released: Released
    withheld: tuple[FieldGroup, ...] = ()
    terms: tuple[Terms, ...] = ()


class InboxEvent(Event):
    """An event about one of the agency's referrals."""

    classification: ClassVar[Classification] = Classification.CONFIDENTIAL
    referral_id: UUID
    sent_at: Instant

    @property
    def identity_key(self) -> str:
        """The referral's id."""
        return str(self.referral_id)

    @property
    def happened_at(self) -> datetime:
        """When routing wrote the event."""
        return self.sent_at


class DisclosingEvent(InboxEvent):
    """An event that discloses data to the agency.

    `released` is readable by every reader of the topic. `sealed` is a JWE (RFC 7516), encrypted to the agency's public
    key, of the JSON of `Disclosed`. `link` is the address of the remaining data; each read of it is a disclosure.
    `withheld` lists the groups that are disclosed in no form, whether or not the case has them, so that the list does
    not reveal what the case contains.
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
        """Whether a restricted group is disclosed, in any form."""
        return any(group in RESTRICTED for terms in self.terms for group in terms.groups)


class ReferralRequested(DisclosingEvent):
    """A need is referred to a program of the agency.

    The agency answers on `agency.<id>.updates.v1` before `answer_by`. `record_only` marks work that was done elsewhere
    and is only recorded here: no answer is expected. Need and program are `undisclosed` if they are themselves
    restricted; the sealed block or the link has them.
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
        """Whether a restricted group is disclosed, or need and program are themselves restricted."""
        return self.need == UNDISCLOSED or super().is_restricted


class ReferralAmended(DisclosingEvent):
    """The agency may see more of a referral than before. The event replaces all data that was disclosed earlier."""

    type: Literal["referral.amended.v1"] = "referral.amended.v1"


class DisclosureRecalled(InboxEvent):
    """The agency must delete what was disclosed under these receipts, and inform all parties that received it."""

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
    """The person of the referral was erased: the agency must delete what it holds about them."""

    type: Literal["person.erased.v1"] = "person.erased.v1"


class EmergencyAccess(InboxEvent):
    """Another agency opened withheld data by emergency access, in a case that this agency works on."""

    type: Literal["emergency.access.v1"] = "emergency.access.v1"
    agency: Slug
    access_id: UUID
    ends_at: Instant

    @property
    def identity_key(self) -> str:
        """The referral and the access."""
        return f"{self.referral_id}|{self.access_id}"


class ReferralCancelled(InboxEvent):
    """The referral is cancelled; the agency stops work."""

    type: Literal["referral.cancelled.v1"] = "referral.cancelled.v1"
    reason: Reason


class ReferralOverdue(InboxEvent):
    """The agency has not answered in time; `escalated` marks the second and last reminder."""

    type: Literal["referral.overdue.v1"] = "referral.overdue.v1"
    answer_by: Instant
    escalated: bool = False


class UpdateRefused(InboxEvent):
    """An update of this agency was refused and changed nothing."""

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
"""Every event on an agency's inbox topic."""
