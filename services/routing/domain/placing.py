"""Choose the program that should help with a need, and say why."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.routing.domain.book import RoutingBook, Rule
from services.routing.domain.programs import Program, ProgramIndex
from shared.events.fields import FieldGroup
from shared.events.reasons import Reason
from shared.policy.release import ReleasePlan


@dataclass(frozen=True, slots=True)
class City:
    """What routing knows of its city.

    `protects` has each service of the catalogue, with the strict field group that its reports belong to, if any.
    """

    programs: ProgramIndex
    book: RoutingBook
    plan: ReleasePlan
    protects: Mapping[str, FieldGroup | None]

    def admits(self, program: Program, service: str) -> bool:
        """Tell whether a report of this service may reach the program; one that the catalogue lacks reaches nobody."""
        return service in self.protects and self.plan.entitles(program.agency, self.protects[service])


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be placed: a need of a report of one service, in a district where that is known."""

    need: str
    service: str
    district: str | None


@dataclass(frozen=True, slots=True)
class Placed:
    """This program should help."""

    program: Program
    why: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Nobody is left to ask: a person must choose."""

    reason: Reason
    why: str


NO_RULE: Final = Unplaced(Reason.NO_PROGRAM, "the routing book has no rule for it")


def place(asking: Asking, city: City, tried: Collection[str] = ()) -> Placed | Unplaced:
    """Choose the first candidate of the book that was not tried, serves the district and may see such a report."""
    rule = city.book.find(asking.service, asking.need, asking.district)
    if rule is None:
        return NO_RULE
    for number, program in enumerate(_open_to(asking, city, rule.candidates), 1):
        if program.name not in tried:
            return Placed(program, f"rule {rule.id}, choice {number}")
    return _nobody(rule, tried)


def place_fallback(asking: Asking, city: City, tried: Collection[str]) -> Placed | Unplaced:
    """Choose whom the book names for the case that nobody answers."""
    rule = city.book.find(asking.service, asking.need, asking.district)
    names = (rule.fallback,) if rule and rule.fallback and rule.fallback not in tried else ()
    for program in _open_to(asking, city, names):
        return Placed(program, f"rule {rule.id if rule else ''}, fallback")
    return Unplaced(Reason.NO_ANSWER, "nobody has answered, and the routing book names nobody else")


def _open_to(asking: Asking, city: City, names: Collection[str]) -> Iterator[Program]:
    for name in names:
        program = city.programs[name]
        if program.serves(asking.district) and city.admits(program, asking.service):
            yield program


def _nobody(rule: Rule, tried: Collection[str]) -> Unplaced:
    if tried:
        return Unplaced(Reason.CANDIDATES_EXHAUSTED, f"rule {rule.id}: everybody it names was asked")
    return Unplaced(Reason.NO_PROGRAM, f"rule {rule.id}: nobody it names serves the district and may see such a report")
