"""Everything that is known of one case, put together again to be counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.metrics.domain.facts import CaseFact, DeliveryFact, HoldFact, NeedFact, ReferralFact
from shared.events.agency_inbox import UNDISCLOSED
from shared.events.fields import FieldGroup
from shared.policy.protection import ProtectionRules


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


def conceal(record: CaseRecord, protection: ProtectionRules) -> CaseRecord:
    """Return a record as tables may count it.

    A case about violence counts in totals only: a row of an agency, a need or a district would tell
    that there is one. A case whose report has not arrived yet counts as such a case.
    """
    needs = {*(need.need for need in record.needs), *(referral.need for referral in record.referrals)}
    protections = protection.protections_of(record.case.service_code, [need for need in needs if need])
    if FieldGroup.VICTIM_SERVICES not in protections:
        return record
    hidden = [_undisclosed(referral) for referral in record.referrals]
    return replace(record, case=replace(record.case, district=UNDISCLOSED), referrals=hidden)


def _undisclosed(referral: ReferralFact) -> ReferralFact:
    known = referral.agency is not None
    return replace(referral, agency=UNDISCLOSED, program=UNDISCLOSED, need=UNDISCLOSED) if known else referral
