"""The receipt of one disclosure: what was given to whom, when and why. Its canonical bytes are a leaf of the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import orjson

from shared.policy.merkle import hash_leaf

FORMAT: Final = "handoff-receipt/1"
"""Which fields the canonical bytes have; another set of fields is another format."""

Facts = Mapping[str, Any]
"""A receipt as JSON has it: text, numbers, lists and nulls, by name of the field; without its place in the ledger."""


Channel = Literal["event", "read", "emergency"]
"""The way on which something was given."""


class ReceiptGround(Protocol):
    """What decided that something may be given: an agreement's clause, a consent or an emergency."""

    @property
    def kind(self) -> str:
        """`agreement`, `consent` or `emergency`."""

    @property
    def id(self) -> str:
        """Which of them."""

    @property
    def version(self) -> int | None:
        """In which version, where it has any."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One disclosure: never what was given, only its kind, and a digest that needs the person's key.

    `shown_from` is when the person may see it, where the law lets that wait; None is at once.
    """

    receipt_id: UUID
    case_id: UUID
    referral_id: UUID | None
    agency: str
    given_at: datetime
    channel: Channel
    form: str
    groups: tuple[str, ...]
    grounds: tuple[ReceiptGround, ...]
    purpose: str
    policy_set: str
    digest: bytes
    shown_from: datetime | None = None


def facts_of(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON has it."""
    return {
        "receipt_id": str(receipt.receipt_id),
        "case_id": str(receipt.case_id),
        "referral_id": str(receipt.referral_id) if receipt.referral_id else None,
        "agency": receipt.agency,
        "given_at": write_moment(receipt.given_at),
        "channel": receipt.channel,
        "form": receipt.form,
        "groups": list(receipt.groups),
        "grounds": grounds_of(receipt.grounds),
        "purpose": receipt.purpose,
        "policy_set": receipt.policy_set,
        "digest": receipt.digest.hex(),
        "shown_from": write_moment(receipt.shown_from) if receipt.shown_from else None,
    }


def grounds_of(grounds: Iterable[ReceiptGround]) -> list[dict[str, Any]]:
    """Return what decided, as JSON has it."""
    return [{"kind": ground.kind, "id": ground.id, "version": ground.version} for ground in grounds]


def write_moment(moment: datetime) -> str:
    """Write a moment in UTC, to the microsecond: RFC 3339, always of the same length."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def canonical(facts: Facts) -> bytes:
    """Return the one form that is hashed: JSON in UTF-8, keys in order of their code points, no white space."""
    return orjson.dumps({**facts, "format": FORMAT}, option=orjson.OPT_SORT_KEYS)


def leaf_of(facts: Facts) -> bytes:
    """Return the hash of a receipt as a leaf of the ledger."""
    return hash_leaf(canonical(facts))
