"""Everything that is known of one case, put together again to be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.metrics.domain.facts import CaseFact, DeliveryFact, HoldFact, NeedFact, ReferralFact


@dataclass(frozen=True, slots=True)
class Heard:
    """How complete the telling was.

    `missing` numbers in the sequence of some topic were passed over; `twice` things that happen once were told under
    two ids; `copy` means that the same record was filed before as another case.
    """

    missing: int = 0
    twice: int = 0
    copy: bool = False


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case with all that hangs on it; `holds` are by referral."""

    case: CaseFact
    needs: Sequence[NeedFact] = ()
    referrals: Sequence[ReferralFact] = ()
    holds: Mapping[UUID, Sequence[HoldFact]] = ()  # type: ignore[assignment]
    deliveries: Sequence[DeliveryFact] = ()
    heard: Heard = Heard()
