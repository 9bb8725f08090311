"""A question about a case that nobody has filed: who would be asked, and what may they know?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.routing.domain.city import PlacementQuery, RoutingCity
from services.routing.domain.explanation import explain_placement
from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Urgency
from shared.policy.consent import Consent

NOBODY = UUID(int=0)


class HypotheticalConsent(BaseModel):
    """A consent that is supposed to be there; one that says no more lasts for another year."""

    model_config = ConfigDict(extra="forbid")

    recipients: tuple[Slug, ...] = Field(min_length=1)
    groups: tuple[FieldGroup, ...] = Field(min_length=1)
    purpose: Slug = "service-delivery"
    ends_at: datetime | None = None


class HypotheticalReport(BaseModel):
    """What a report would say, as far as the routing book and the policy ask for it."""

    model_config = ConfigDict(extra="forbid")

    service_code: Slug
    needs: tuple[Slug, ...] = Field(min_length=1, max_length=20)
    district: Slug | None = None
    urgency: Urgency = "routine"
    consents: tuple[HypotheticalConsent, ...] = Field(default=(), max_length=20)

    def askings(self, city: RoutingCity, now: datetime) -> Iterator[PlacementQuery]:
        """Ask about each need in turn: who is asked for an earlier one holds something of the case."""
        consents = tuple(_consent(number, each, now) for number, each in enumerate(self.consents, 1))
        protections = city.protection.protections_of(self.service_code, self.needs)
        holders = frozenset[str]()
        for need in self.needs:
            asked_of = (need, self.service_code, self.district, self.urgency)
            asking = PlacementQuery(*asked_of, protections, now, consents, holders)
            asked = explain_placement(asking, city).asked
            holders |= {asked.partition("/")[0]} if asked else set()
            yield asking


def _consent(number: int, supposed: HypotheticalConsent, now: datetime) -> Consent:
    return Consent(
        consent_id=UUID(int=number),
        case_id=NOBODY,
        recipients=frozenset(supposed.recipients),
        purpose=supposed.purpose,
        groups=frozenset(supposed.groups),
        granted_at=now,
        ends_at=supposed.ends_at.astimezone(now.tzinfo) if supposed.ends_at else now + timedelta(days=365),
    )
