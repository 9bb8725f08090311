"""What is asked of the policy: what may one agency be given of one case, for one need, at one moment?"""

from datetime import datetime
from typing import NamedTuple

from shared.events.fields import FieldGroup
from shared.policy.consent import Consent


class DisclosureQuery(NamedTuple):
    """One question; the answer is a `ReleasePlan`.

    `sources` are the parties that hold something of the case: `FRONT_DOOR`, and each other agency that has or had a
    referral in it. `protects` is the group whose strict rules hold for the whole report (`victim_services`,
    `substance_use`, ...), because of its service or because of a need that only protected services name. `at` is aware.
    `consents` may hold consents for other recipients, ended and withdrawn ones: what counts is part of the decision.
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
