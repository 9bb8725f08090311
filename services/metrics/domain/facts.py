"""Facts: what is known of a case, filled in piece by piece as events are heard.

Topics arrive in any relative order, and messages more than once. So a fact is never changed, only joined with another
of the same key, and joining is associative, commutative and idempotent: every field keeps the least of what it was
told (the earliest time), or the greatest where that is said. Nothing told is the neutral element.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one or more events say about one thing; None is what they do not say."""

    KEY: ClassVar[str]
    GREATEST: ClassVar[frozenset[str]] = frozenset()
    """The fields of which the greatest is kept, not the least."""

    @property
    def key(self) -> UUID:
        """What the fact is about."""
        return getattr(self, self.KEY)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFact(Fact):
    """A case; `service_request_id` is known only from intake, `filed_at` from everybody who repeats it."""

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
    """A need; the sequences are those of routing's topic, and tell which of the two happened last."""

    KEY: ClassVar[str] = "need_id"
    GREATEST: ClassVar[frozenset[str]] = frozenset({"unroutable_sequence", "requested_sequence"})

    need_id: UUID
    case_id: UUID | None = None
    need: str | None = None
    unroutable_sequence: int | None = None
    requested_sequence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralFact(Fact):
    """A referral; `named` tells that `case.routed` promised it."""

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
    """A referral was put on hold, or went on (`outside` is None then).

    `outside` tells that the agency could not end the hold by itself.
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
    """What became of one message to one person."""

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
"""Every kind of fact, in the order in which they are written (the same everywhere, so that no two writers lock up)."""

F = TypeVar("F", bound=Fact)


KEPT: dict[type[Fact], dict[str, bool]] = {
    kind: {field.name: field.name in kind.GREATEST for field in fields(kind) if field.name != kind.KEY}
    for kind in FACTS
}
"""The fields of each kind of fact but its key, each with whether the greatest is kept, not the least."""


def join(one: F, other: F) -> F:
    """Join two facts about the same thing."""
    told: dict[str, Any] = {one.KEY: one.key}
    for name, greatest in KEPT[type(one)].items():
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is None or theirs is None:
            told[name] = theirs if mine is None else mine
        else:
            told[name] = max(mine, theirs) if greatest else min(mine, theirs)
    return type(one)(**told)


def gather(facts: Iterable[Fact]) -> dict[type[Fact], list[Fact]]:
    """Join the facts about the same things; each kind comes sorted by key."""
    found: dict[type[Fact], dict[UUID, Fact]] = {kind: {} for kind in FACTS}
    for fact in facts:
        known = found[type(fact)]
        known[fact.key] = join(known[fact.key], fact) if fact.key in known else fact
    return {kind: [known[key] for key in sorted(known)] for kind, known in found.items()}
