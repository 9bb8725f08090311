"""The input of a disclosure decision: one agency, one case, one need, one moment."""

from datetime import datetime
from typing import NamedTuple

from shared.events.fields import FieldGroup
from shared.policy.consent import Consent


class DisclosureQuery(NamedTuple):
    """What may one agency receive? The answer is a `ReleasePlan`.

    `sources` are the parties that hold data of the case: `FRONT_DOOR` and each other agency that has or had a referral
    in it. `protects` is the protection of the report (`victim_services`, `substance_use`, ...), whose strict rules
    apply to all of it. `at` is timezone-aware. `consents` may include consents for other recipients and consents that
    ended or were withdrawn: the decision selects the valid ones.
    """

    agency: str
    sources: frozenset[str]
    need: str
    service: str
    district: str | None
    urgency: str
    protects: FieldGroup | None
    at: datetime
    consents: tuple[Consent, ...] = ()
