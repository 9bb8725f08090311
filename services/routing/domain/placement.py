"""Choose the program that should help with a need, and say why."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
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
from shared.policy.protection import ProtectionRules

ONLY_THE_FRONT_DOOR: Final = frozenset({FRONT_DOOR})


class CaseSnapshot(NamedTuple):
    """How things stand when something is asked: the moment, the consents, and who holds something of the case."""

    at: datetime
    consents: tuple[Consent, ...] = ()
    holders: frozenset[str] = frozenset()


class PlacementQuery(NamedTuple):
    """What is to be placed: a need of a report of one service, in a district where that is known.

    `protections` are the field groups that protect the report, the strictest first. `holders` are
    the agencies that have or had a referral in the case.
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
        """Yield what the policy is asked about one agency: once, or once for each protection."""
        sources = (self.holders - {agency}) | ONLY_THE_FRONT_DOOR if self.holders else ONLY_THE_FRONT_DOOR
        asked = (agency, sources, self.need, self.service, self.district, self.urgency)
        for protects in self.protections or (None,):
            yield DisclosureQuery(*asked, protects, self.at, self.consents)


@dataclass(frozen=True, slots=True)
class RoutingCity:
    """What routing knows of its city."""

    programs: ProgramIndex
    book: RoutingRules
    sharing: DisclosurePolicy
    protection: ProtectionRules

    def asking(self, report: CaseSubmitted, need: str, standing: CaseSnapshot) -> PlacementQuery:
        """Return what is asked about one need of a report."""
        protections = self.protections_of(report)
        return PlacementQuery(need, report.service_code, report.place.district, report.urgency, protections, *standing)

    def plan(self, agency: str, asking: PlacementQuery) -> ReleasePlan:
        """Decide what an agency is given: only what the strict rules of every protection allow."""
        return reduce(intersect, map(self.sharing.plan, asking.queries(agency)))

    def lists(self, service: str) -> bool:
        """Tell whether the service list has a service."""
        return service in self.protection.services

    def admits(self, program: Program, asking: PlacementQuery) -> bool:
        """Tell whether such a report may reach the program; one of a service that is not known reaches nobody."""
        return self.lists(asking.service) and self.plan(program.agency, asking).entitled

    def protections_of(self, report: CaseSubmitted) -> tuple[FieldGroup, ...]:
        """Return the groups that protect a whole report, the strictest first."""
        return self.protection.protections_of(report.service_code, (need.need for need in report.needs))


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
