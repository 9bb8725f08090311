"""The city as routing knows it: the programs of its agencies (after HSDS), routing rules, disclosure policy."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final, NamedTuple

from shared.city.city import City, Program
from shared.city.routing_rules import RoutingRules
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.policy.agreements import FRONT_DOOR, Agreement
from shared.policy.consent import Consent
from shared.policy.decision import DisclosurePolicy
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleasePlan, intersect
from shared.policy.protection import ProtectionRules

ONLY_THE_FRONT_DOOR: Final = frozenset({FRONT_DOOR})

UNKNOWN_SERVICE_DENIES: Final = ("unknown-service",)
"""The policy id that is recorded when a report's service is not in the service list: no agency may see the report."""


class CaseSnapshot(NamedTuple):
    """What a decision about a case depends on beside its report: the moment, the consents, the agencies that hold it.

    `holders` are the agencies that have or had a referral in the case.
    """

    at: datetime
    consents: tuple[Consent, ...] = ()
    holders: frozenset[str] = frozenset()


class PlacementQuery(NamedTuple):
    """A need to place: everything that the routing rules and the disclosure policy decide by.

    `protections` are the field groups that protect the report, the strictest first. `holders` are the agencies that
    have or had a referral in the case.
    """

    need: str
    service: str
    district: str | None
    urgency: str
    protections: tuple[FieldGroup, ...]
    at: datetime
    consents: tuple[Consent, ...] = ()
    holders: frozenset[str] = frozenset()

    def queries(self, agency: str) -> Iterator[DisclosureQuery]:
        """Yield the queries to the disclosure policy about one agency: one, or one for each protection."""
        sources = (self.holders - {agency}) | ONLY_THE_FRONT_DOOR if self.holders else ONLY_THE_FRONT_DOOR
        common = (agency, sources, self.need, self.service, self.district, self.urgency)
        for protects in self.protections or (None,):
            yield DisclosureQuery(*common, protects, self.at, self.consents)


@dataclass(frozen=True, slots=True)
class RoutingCity:
    """What routing decides by."""

    programs: Mapping[str, Program]
    rules: RoutingRules
    policy: DisclosurePolicy
    protection: ProtectionRules

    def query(self, report: CaseSubmitted, need: str, snapshot: CaseSnapshot) -> PlacementQuery:
        """Return the query that places one need of a report."""
        protections = self.protections_of(report)
        return PlacementQuery(need, report.service_code, report.place.district, report.urgency, protections, *snapshot)

    def plan(self, agency: str, query: PlacementQuery) -> ReleasePlan:
        """Decide what an agency may receive: only what the strict rules of every protection allow."""
        return reduce(intersect, map(self.policy.plan, query.queries(agency)))

    def admits(self, program: Program, query: PlacementQuery) -> bool:
        """Tell whether the program's agency may know of the need; of a report of an unknown service, none may."""
        return self.lists(query.service) and self.plan(program.agency, query).entitled

    def denied_by(self, agency: str, query: PlacementQuery) -> tuple[str, ...]:
        """Return the ids of the policies because of which an agency may not know of the need."""
        if not self.lists(query.service):
            return UNKNOWN_SERVICE_DENIES
        return self.plan(agency, query).verdicts[FieldGroup.NEED].withheld_by

    def lists(self, service: str) -> bool:
        """Tell whether the service list has a service."""
        return service in self.protection.services

    def protections_of(self, report: CaseSubmitted) -> tuple[FieldGroup, ...]:
        """Return the groups that protect a whole report, the strictest first."""
        return self.protection.protections_of(report.service_code, (need.need for need in report.needs))


def routing_city(city: City, agreements: Iterable[Agreement], keys: Collection[str] = ()) -> RoutingCity:
    """Return a city as routing decides by it; `keys` are the agencies that have a public key."""
    return RoutingCity(
        programs=city.programs,
        rules=city.rules,
        policy=DisclosurePolicy(agreements, keys, services=city.services),
        protection=city.protection,
    )
