"""Choose the program that should help with a need, and say why."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from services.routing.domain.city import Program, ProgramIndex
from services.routing.domain.rules import RoutingRules, Rule
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from shared.policy.agreements import FRONT_DOOR
from shared.policy.consent import Consent
from shared.policy.decision import DisclosurePolicy
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleasePlan, intersect

STRICTEST_FIRST: Final = (FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE, *FieldGroup)
"""Of two groups that protect a report, the rules of the first of these count."""

ONLY_THE_FRONT_DOOR: Final = frozenset({FRONT_DOOR})


class CaseSnapshot(NamedTuple):
    """How things stand when something is asked: the moment, the consents, and who holds something of the case."""

    at: datetime
    consents: tuple[Consent, ...] = ()
    holders: frozenset[str] = frozenset()


class PlacementQuery(NamedTuple):
    """What is to be placed: a need of a report of one service, in a district where that is known.

    `holders` are the agencies that have or had a referral in the case. A report can be protected for a second reason.
    """

    need: str
    service: str
    district: str | None
    urgency: str
    protects: FieldGroup | None
    at: datetime
    consents: tuple[Consent, ...] = ()
    holders: frozenset[str] = frozenset()
    also_protects: FieldGroup | None = None

    def of(self, agency: str) -> DisclosureQuery:
        """Return what the policy is asked about one agency."""
        sources = (self.holders - {agency}) | ONLY_THE_FRONT_DOOR if self.holders else ONLY_THE_FRONT_DOOR
        return DisclosureQuery(
            agency, sources, self.need, self.service, self.district, self.urgency, self.protects, self.at, self.consents
        )


@dataclass(frozen=True, slots=True)
class RoutingCity:
    """What routing knows of its city.

    `protects` has each service of the catalogue, with the strict field group that its reports belong to, if any;
    `protected_needs` has the needs that only such services name.
    """

    programs: ProgramIndex
    book: RoutingRules
    sharing: DisclosurePolicy
    protects: Mapping[str, FieldGroup | None]
    protected_needs: Mapping[str, FieldGroup] = field(default_factory=dict)

    def asking(self, report: CaseSubmitted, need: str, standing: CaseSnapshot) -> PlacementQuery:
        """Return what is asked about one need of a report."""
        protects, also = self.protections_of(report.service_code, [each.need for each in report.needs])
        return PlacementQuery(
            need, report.service_code, report.place.district, report.urgency, protects, *standing, also
        )

    def plan(self, agency: str, asking: PlacementQuery) -> ReleasePlan:
        """Decide what an agency is given: of a report that is protected for two reasons, what both let through."""
        plan = self.sharing.plan(asking.of(agency))
        if asking.also_protects is None:
            return plan
        return intersect(plan, self.sharing.plan(asking.of(agency)._replace(protects=asking.also_protects)))

    def admits(self, program: Program, asking: PlacementQuery) -> bool:
        """Tell whether such a report may reach the program; one of a service that is not known reaches nobody."""
        return asking.service in self.protects and self.plan(program.agency, asking).entitled

    def protection(self, report: CaseSubmitted) -> FieldGroup | None:
        """Return the group whose strict rules hold for a whole report."""
        return self.protection_of(report.service_code, [need.need for need in report.needs])

    def protection_of(self, service: str, needs: Collection[str]) -> FieldGroup | None:
        """Return the group whose strict rules hold for reports of a service with these needs."""
        return self.protections_of(service, needs)[0]

    def protections_of(self, service: str, needs: Collection[str]) -> tuple[FieldGroup | None, FieldGroup | None]:
        """Return the groups whose strict rules hold for such reports, the strictest first; there are two at most."""
        by_service = self.protects.get(service)
        found = {self.protected_needs[need] for need in needs if need in self.protected_needs}
        if not found:
            return by_service, None
        first, *others = sorted(found | {by_service} - {None}, key=STRICTEST_FIRST.index)
        return first, others[0] if others else None


@dataclass(frozen=True, slots=True)
class Placed:
    """This program should help; the agencies that come before it in the book, and may not know of it, are `refused`."""

    program: Program
    why: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Nobody is left to ask: a person must choose."""

    reason: Reason
    why: str
    refused: tuple[str, ...] = ()


NO_RULE: Final = Unplaced(Reason.NO_PROGRAM, "the routing book has no rule for it")


def place(asking: PlacementQuery, city: RoutingCity, tried: Collection[str] = ()) -> Placed | Unplaced:
    """Choose the first candidate of the book that was not tried, serves the district and may see such a report."""
    rule = city.book.find(asking.service, asking.need, asking.district)
    if rule is None:
        return NO_RULE
    refused: list[str] = []
    for program in _open_to(asking, city, rule.candidates, refused):
        if program.name not in tried:
            number = rule.candidates.index(program.name) + 1
            return Placed(program, f"rule {rule.id}, choice {number}", tuple(refused))
    return _nobody(rule, tried, tuple(refused))


def place_fallback(asking: PlacementQuery, city: RoutingCity, tried: Collection[str]) -> Placed | Unplaced:
    """Choose whom the book names for the case that nobody answers."""
    rule = city.book.find(asking.service, asking.need, asking.district)
    names = (rule.fallback,) if rule and rule.fallback and rule.fallback not in tried else ()
    refused: list[str] = []
    for program in _open_to(asking, city, names, refused):
        return Placed(program, f"rule {rule.id if rule else ''}, fallback")
    why = "nobody has answered, and the routing book names nobody else"
    return Unplaced(Reason.NO_ANSWER, why, tuple(refused))


def _open_to(
    asking: PlacementQuery, city: RoutingCity, names: Collection[str], refused: list[str]
) -> Iterator[Program]:
    """Go through the programs that may be asked, and note the agencies that may not be."""
    for name in names:
        program = city.programs[name]
        if not program.serves(asking.district):
            continue
        if city.admits(program, asking):
            yield program
        else:
            refused.append(program.agency)


def _nobody(rule: Rule, tried: Collection[str], refused: tuple[str, ...]) -> Unplaced:
    if tried:
        return Unplaced(Reason.CANDIDATES_EXHAUSTED, f"rule {rule.id}: everybody it names was asked", refused)
    why = f"rule {rule.id}: nobody it names serves the district and may see such a report"
    return Unplaced(Reason.NO_PROGRAM, why, refused)
