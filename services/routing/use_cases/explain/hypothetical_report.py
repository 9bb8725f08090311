"""A report that was not filed: which programs would be asked, and what might they know?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.routing.domain.city import PlacementQuery, RoutingCity
from services.routing.domain.explanation import explain_placement
from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Urgency
from shared.policy.consent import Consent

NO_CASE: Final = UUID(int=0)
CONSENT_LASTS: Final = timedelta(days=365)
"""How long a consent without an end lasts."""


class HypotheticalConsent(BaseModel):
    """A consent that the person is supposed to have given."""

    model_config = ConfigDict(extra="forbid")

    recipients: tuple[Slug, ...] = Field(min_length=1)
    groups: tuple[FieldGroup, ...] = Field(min_length=1)
    purpose: Slug = "service-delivery"
    ends_at: datetime | None = None


class HypotheticalReport(BaseModel):
    """The parts of a report that the routing rules and the disclosure policy decide by."""

    model_config = ConfigDict(extra="forbid")

    service_code: Slug
    needs: tuple[Slug, ...] = Field(min_length=1, max_length=20)
    district: Slug | None = None
    urgency: Urgency = "routine"
    consents: tuple[HypotheticalConsent, ...] = Field(default=(), max_length=20)

    def queries(self, city: RoutingCity, now: datetime) -> Iterator[PlacementQuery]:
        """Yield the query that places each need, in order: an agency that is asked holds the case from then."""
        consents = tuple(_consent(number, each, now) for number, each in enumerate(self.consents, 1))
        protections = city.protection.protections_of(self.service_code, self.needs)
        holders = frozenset[str]()
        for need in self.needs:
            report = (self.service_code, self.district, self.urgency, protections)
            query = PlacementQuery(need, *report, now, consents, holders)
            asked = explain_placement(query, city).asked
            holders |= {asked.partition("/")[0]} if asked else set()
            yield query


def _consent(number: int, supposed: HypotheticalConsent, now: datetime) -> Consent:
    return Consent(
        consent_id=UUID(int=number),
        case_id=NO_CASE,
        recipients=frozenset(supposed.recipients),
        purpose=supposed.purpose,
        groups=frozenset(supposed.groups),
        granted_at=now,
        ends_at=supposed.ends_at.astimezone(now.tzinfo) if supposed.ends_at else now + CONSENT_LASTS,
    )
