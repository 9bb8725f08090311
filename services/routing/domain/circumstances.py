"""What a decision is made under: the city, the moment, the keys, and the consents that people have given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.placing import Asking, City, Standing
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need
from shared.policy.consent import Consent


class Keys(Protocol):
    """Opens, seals and fingerprints for the persons and agencies that a decision is about."""

    def unseal(self, report: CaseSubmitted, group: FieldGroup) -> bytes | None:
        """Open one group of a report; None when nobody can."""

    def seal_to(self, agency: str, plain: bytes) -> str:
        """Encrypt something to an agency's own key, as a JWE."""

    def digest(self, report: CaseSubmitted, sent: bytes) -> bytes:
        """Return a digest of what was sent that nobody can guess at without the person's key."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision is made under: the city, the present moment, keys, and the consents of the cases."""

    city: City
    now: datetime
    keys: Keys
    consents: Mapping[UUID, Sequence[Consent]] = field(default_factory=dict)


def asking(case: Case, need: Need, around: Circumstances) -> Asking:
    """Return what the routing book and the policy are asked about one need of a case."""
    consents = tuple(around.consents.get(case.report.case_id, ()))
    holders = frozenset([referral.agency for referral in case.referrals.values()])
    return around.city.asking(case.report, need.need, Standing(around.now, consents, holders))
