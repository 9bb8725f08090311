"""Facts: what metrics knows of a case, completed event by event.

Topics arrive in any relative order, and messages more than once. So a fact is never changed, only merged with another
of the same key. Merging is associative, commutative and idempotent: a field keeps the least of the values that the
events gave it (the earliest time), or the greatest where the class says so. None, a value that no event gave, is the
neutral element.

The classes declare the tables, too: services/metrics/tables.py derives a column from each field.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one or more events say about one thing; None where they say nothing."""

    KEY: ClassVar[str]
    """The field that identifies the thing."""

    GREATEST: ClassVar[frozenset[str]] = frozenset()
    """The fields that keep the greatest value instead of the least."""

    @property
    def key(self) -> UUID:
        """The id of the thing."""
        return getattr(self, self.KEY)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFact(Fact):
    """A case. Only intake's events give `service_request_id`; every event that repeats the filing gives `filed_at`."""

    KEY: ClassVar[str] = "case_id"
    GREATEST: ClassVar[frozenset[str]] = frozenset({"record_only", "completed_at", "not_completed_at", "called_off_at"})

    case_id: UUID
    service_request_id: str | None = None
    service_code: str | None = None
    district: str | None = None
    urgency: str | None = None
    channel: str | None = None
    origin: str | None = None
    external_id: str | None = None
    needs: int | None = None
    record_only: bool | None = None
    filed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    routed_at: datetime | None = None
    first_resolved_at: datetime | None = None
    completed_at: datetime | None = None
    not_completed_at: datetime | None = None
    called_off_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedFact(Fact):
    """A need. The two sequences are numbers of routing's topic: the greater one tells which event happened last."""

    KEY: ClassVar[str] = "need_id"
    GREATEST: ClassVar[frozenset[str]] = frozenset({"unroutable_sequence", "requested_sequence"})

    need_id: UUID
    case_id: UUID | None = None
    need: str | None = None
    unroutable_sequence: int | None = None
    requested_sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFact(Fact):
    """A referral; `named` is True when `case.routed` listed it, whether or not its request has arrived."""

    KEY: ClassVar[str] = "referral_id"
    GREATEST: ClassVar[frozenset[str]] = frozenset({"named", "record_only"})

    referral_id: UUID
    case_id: UUID | None = None
    need_id: UUID | None = None
    need: str | None = None
    agency: str | None = None
    program: str | None = None
    named: bool | None = None
    record_only: bool | None = None
    attempt: int | None = None
    reason: str | None = None
    filed_at: datetime | None = None
    answer_by: datetime | None = None
    requested_at: datetime | None = None
    accepted_at: datetime | None = None
    rejected_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    failed_at: datetime | None = None
    cancelled_at: datetime | None = None
    transferred_at: datetime | None = None
    overdue_at: datetime | None = None
    escalated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFact(Fact):
    """The start or the end of a hold: one `referral.held` or `referral.resumed` event.

    `outside` is True when the agency could not end the hold by itself, and None at the end of a hold.
    """

    KEY: ClassVar[str] = "event_id"

    event_id: UUID
    case_id: UUID | None = None
    referral_id: UUID | None = None
    occurred_at: datetime | None = None
    sequence: int | None = None
    outside: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFact(Fact):
    """The outcome of one message to one person."""

    KEY: ClassVar[str] = "delivery_id"

    delivery_id: UUID
    case_id: UUID | None = None
    template: str | None = None
    channel: str | None = None
    sent_at: datetime | None = None
    refused_at: datetime | None = None
    uncertain_at: datetime | None = None
    suppressed_at: datetime | None = None
    why: str | None = None


FACTS: tuple[type[Fact], ...] = (CaseFact, NeedFact, ReferralFact, HoldFact, DeliveryFact)
"""Every kind of fact, in the order in which every transaction writes them, so that two writers do not deadlock."""

F = TypeVar("F", bound=Fact)

KEEPS_GREATEST: dict[type[Fact], dict[str, bool]] = {
    kind: {field.name: field.name in kind.GREATEST for field in fields(kind) if field.name != kind.KEY}
    for kind in FACTS
}
"""For each kind of fact its fields without the key: True keeps the greatest value, False the least."""


def merge_pair(one: F, other: F) -> F:
    """Merge two facts about the same thing."""
    merged: dict[str, Any] = {one.KEY: one.key}
    for name, greatest in KEEPS_GREATEST[type(one)].items():
        left, right = getattr(one, name), getattr(other, name)
        if left is None or right is None:
            merged[name] = right if left is None else left
        else:
            merged[name] = max(left, right) if greatest else min(left, right)
    return type(one)(**merged)


def merge(facts: Iterable[Fact]) -> dict[type[Fact], list[Fact]]:
    """Merge the facts about the same things; returns every kind, each sorted by key."""
    found: dict[type[Fact], dict[UUID, Fact]] = {kind: {} for kind in FACTS}
    for fact in facts:
        known = found[type(fact)]
        known[fact.key] = merge_pair(known[fact.key], fact) if fact.key in known else fact
    return {kind: [known[key] for key in sorted(known)] for kind, known in found.items()}
