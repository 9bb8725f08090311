"""Choose the program that is asked to help with a need, and say which rule chose it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.routing.domain.city import PlacementQuery, RoutingCity
from shared.city.city import Program
from shared.city.routing_rules import Rule
from shared.events.reasons import Reason

Denials = Mapping[str, tuple[str, ...]]
"""Agencies that were not asked because they may not know of the need, each with the ids of the denying policies."""


@dataclass(frozen=True, slots=True)
class Placed:
    """This program is asked to help. `denied` are agencies that the rule names before it."""

    program: Program
    why: str
    denied: Denials = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """No program can be asked: a person must choose."""

    reason: Reason
    why: str
    denied: Denials = field(default_factory=dict)


NO_RULE: Final = Unplaced(Reason.NO_PROGRAM, "no routing rule applies")


def place(query: PlacementQuery, city: RoutingCity, tried: Collection[str] = ()) -> Placed | Unplaced:
    """Choose the first candidate of the rule that serves the district, may know of the need, and is not in `tried`.

    `tried` holds the names (agency/program) of programs that must not be asked again.
    """
    rule = city.rules.find(query.service, query.need, query.district)
    if rule is None:
        return NO_RULE
    denied: dict[str, tuple[str, ...]] = {}
    for number, name in enumerate(rule.candidates, 1):
        program = city.programs[name]
        if not program.serves(query.district):
            continue
        # A denial is recorded for a tried program, too: it explains why the program is not asked again.
        if not city.admits(program, query):
            denied[program.agency] = city.denied_by(program.agency, query)
        elif name not in tried:
            return Placed(program, f"rule {rule.id}, choice {number}", denied)
    return _unplaced(rule, tried, denied)


def place_fallback(query: PlacementQuery, city: RoutingCity, tried: Collection[str]) -> Placed | Unplaced:
    """Choose the fallback of the rule, for a need whose program has not answered in time."""
    rule = city.rules.find(query.service, query.need, query.district)
    denied: dict[str, tuple[str, ...]] = {}
    if rule and rule.fallback and rule.fallback not in tried:
        program = city.programs[rule.fallback]
        if program.serves(query.district):
            if city.admits(program, query):
                return Placed(program, f"rule {rule.id}, fallback")
            denied[program.agency] = city.denied_by(program.agency, query)
    return Unplaced(Reason.NO_ANSWER, "the program has not answered, and the rule names no other", denied)


def _unplaced(rule: Rule, tried: Collection[str], denied: Denials) -> Unplaced:
    if tried:
        return Unplaced(Reason.CANDIDATES_EXHAUSTED, f"rule {rule.id}: every candidate was asked", denied)
    why = f"rule {rule.id}: no candidate serves the district and may know of the need"
    return Unplaced(Reason.NO_PROGRAM, why, denied)
