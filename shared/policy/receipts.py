"""The receipt of one disclosure: recipient, groups, grounds and time. Its canonical bytes are a leaf of the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import orjson

from shared.policy.merkle import hash_leaf

FORMAT: Final = "handoff-receipt/1"
"""The version of the field set in the canonical bytes; another field set needs another version."""

Facts = Mapping[str, Any]
"""A receipt in JSON types (text, numbers, lists, nulls) by field name, without its place in the ledger."""


Channel = Literal["event", "read", "emergency"]
"""How the data was disclosed."""


class DisclosureGround(Protocol):
    """The ground of a disclosure: a clause of an agreement, a consent or an emergency access."""

    @property
    def kind(self) -> str:
        """`agreement`, `consent` or `emergency`."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def version(self) -> int | None:
        """Its version, if it has one."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One disclosure, without the disclosed data: the groups, and a digest that only the person's key can verify.

    `shown_from` is the end of the embargo; None means none.
    """

    receipt_id: UUID
    case_id: UUID
    referral_id: UUID | None
    agency: str
    given_at: datetime
    channel: Channel
    form: str
    groups: tuple[str, ...]
    grounds: tuple[DisclosureGround, ...]
    purpose: str
    policy_set: str
    digest: bytes
    shown_from: datetime | None = None


def facts_of(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt in JSON types."""
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


def grounds_of(grounds: Iterable[DisclosureGround]) -> list[dict[str, Any]]:
    """Return grounds in JSON types."""
    return [{"kind": ground.kind, "id": ground.id, "version": ground.version} for ground in grounds]


def write_moment(moment: datetime) -> str:
    """Return a moment in UTC with microseconds (RFC 3339), always of the same length."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def canonical(facts: Facts) -> bytes:
    """Return the bytes that are hashed: UTF-8 JSON, keys sorted by code point, no white space."""
    return orjson.dumps({**facts, "format": FORMAT}, option=orjson.OPT_SORT_KEYS)


def leaf_of(facts: Facts) -> bytes:
    """Return the hash of a receipt as a leaf of the ledger."""
    return hash_leaf(canonical(facts))
