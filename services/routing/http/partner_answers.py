"""What the partner API answers, besides a referral itself."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from shared.events.event import Instant
from shared.events.fields import FieldGroup


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
