"""What agencies send to the partner API."""

from datetime import timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request

from services.routing.domain.partner_access import LONGEST
from shared.events.event import Instant
from shared.events.fields import FieldGroup
from shared.policy.plan import CONSENT_ONLY

LARGEST_BODY: Final = 16_384
MOST_MINUTES: Final = int(LONGEST.total_seconds()) // 60


def _may_be_opened(group: FieldGroup) -> FieldGroup:
    if group in CONSENT_ONLY:
        raise ValueError("opened by the person's written consent alone, never in an emergency")
    return group


class EmergencyForm(BaseModel):
    """What a caseworker wants to open, and why; without groups, all that is withheld."""

    model_config = ConfigDict(extra="forbid")

    groups: list[Annotated[FieldGroup, AfterValidator(_may_be_opened)]] | None = Field(default=None, min_length=1)
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=2000)]
    caseworker: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
    minutes: int = Field(default=60, ge=1, le=MOST_MINUTES)

    @property
    def wanted(self) -> frozenset[FieldGroup]:
        """The groups that are named; empty for all that is withheld."""
        return frozenset(self.groups or ())

    @property
    def lasts(self) -> timedelta:
        """For how long."""
        return timedelta(minutes=self.minutes)


async def read_body(request: Request) -> bytes | None:
    """Read a body; None for one that is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


class ListedReferral(BaseModel):
    """A referral in a list: nothing of what is in it."""

    referral_id: UUID
    case_id: UUID
    state: str
    answer_by: Instant | None


class ReferralPage(BaseModel):
    """A part of the list; `next` is what to ask on after, null at the end."""

    referrals: list[ListedReferral]
    next: UUID | None


class OpenedAccess(BaseModel):
    """What is open now, and until when."""

    access_id: UUID
    groups: list[FieldGroup]
    ends_at: Instant


class ReceiptGround(BaseModel):
    """What a disclosure stands on."""

    kind: Literal["agreement", "consent", "emergency"]
    id: str
    version: int | None


class GivenReceipt(BaseModel):
    """A receipt, as it is hashed into the ledger."""

    receipt_id: UUID
    case_id: UUID
    referral_id: UUID | None
    agency: str
    given_at: Instant
    channel: Literal["event", "read", "emergency"]
    form: str
    groups: list[FieldGroup]
    grounds: list[ReceiptGround]
    purpose: str
    policy_set: str
    digest: str
    shown_from: Instant | None


class ProvenReceipt(BaseModel):
    """A receipt with its place and its proof; without a place, or a checkpoint, it still waits for them."""

    receipt: GivenReceipt
    place: int | None
    path: list[str]
    checkpoint: str | None
