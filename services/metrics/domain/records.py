"""Cases as the use cases need them: all that is known of one to compute its figures, its ids, those to recount."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.metrics.domain.facts import CaseFact, DeliveryFact, HoldFact, NeedFact, ReferralFact


@dataclass(frozen=True, slots=True)
class EventCompleteness:
    """Whether the events of a case are complete and unique."""

    missing: int = 0
    """Numbers that the sequences of its topics skip."""

    repeated: int = 0
    """Events of types that happen once, published again under another event id."""

    is_copy: bool = False
    """An earlier case was made from the same record."""


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case with its needs, referrals, holds and deliveries."""

    case: CaseFact
    needs: Sequence[NeedFact] = ()
    referrals: Sequence[ReferralFact] = ()

    holds: Mapping[UUID, Sequence[HoldFact]] = ()  # type: ignore[assignment]
    """By referral."""

    deliveries: Sequence[DeliveryFact] = ()
    completeness: EventCompleteness = EventCompleteness()


@dataclass(frozen=True, slots=True)
class StaleCases:
    """Cases whose figures must be computed again."""

    case_ids: Sequence[UUID] = ()

    since: datetime | None = None
    """When the first event arrived that their figures do not contain; None without cases."""

    markers: int = 0
    """How many markers were taken for them."""


@dataclass(frozen=True, slots=True)
class CaseReference:
    """The ids of a case, and what decides whether it is protected."""

    case_id: UUID
    service_request_id: str | None

    origin: str | None = None
    """The system that the case was imported from."""

    external_id: str | None = None
    """The case's id in that system."""

    service_code: str | None = None
    needs: Sequence[str] = ()
