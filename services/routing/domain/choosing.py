"""Why a program was asked, or would be: what was looked up in the routing book, and what spoke for or against each."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from services.routing.domain.book import Key, Rule
from services.routing.domain.placing import Asking, City
from services.routing.domain.programs import Program
from shared.events.fields import FieldGroup
from shared.policy.explaining import say

Standing = Literal["asked", "next", "other-district", "may-not-know"]


class Look(NamedTuple):
    """One look into the book: what a rule would have to name, and the id of the rule that names it, if there is one."""

    service: str | None
    need: str | None
    district: str | None
    rule: str | None
    why: str


class Candidate(NamedTuple):
    """A program that the rule names, and how it stands; `policies` are the ids of those that bar it."""

    program: str
    agency: str
    standing: Standing
    why: str
    policies: tuple[str, ...] = ()


class Choice(NamedTuple):
    """Which rule counts for a need and why, how each of its candidates stands, and who is asked."""

    need: str
    rule: str | None
    looks: tuple[Look, ...]
    candidates: tuple[Candidate, ...]
    fallback: Candidate | None
    asked: str | None
    why: str


def explain_choice(asking: Asking, city: City) -> Choice:
    """Explain who is asked for help with a need that is placed for the first time."""
    rule = city.book.find(asking.service, asking.need, asking.district)
    candidates = tuple(_candidates(rule, asking, city)) if rule else ()
    asked = next((each.program for each in candidates if each.standing == "asked"), None)
    fallback = None
    if rule and rule.fallback:
        fallback = _judge(city.programs[rule.fallback], asking, city, "is asked when nobody has answered in time")
        fallback = fallback._replace(standing="next") if fallback.standing == "asked" else fallback
    return Choice(
        need=asking.need,
        rule=rule.id if rule else None,
        looks=tuple(_looks(asking, city)),
        candidates=candidates,
        fallback=fallback,
        asked=asked,
        why=_summary(rule, asked),
    )


def _looks(asking: Asking, city: City) -> Iterator[Look]:
    counts: Rule | None = None
    for key, rule in city.book.looks(asking.service, asking.need, asking.district):
        yield Look(*key, rule.id if rule else None, _why_look(key, rule, counts))
        counts = counts or rule


def _why_look(key: Key, rule: Rule | None, counts: Rule | None) -> str:
    named = [f"{kind} {name}" for kind, name in zip(("service", "need", "district"), key, strict=True) if name]
    what = f"names {' and '.join(named)}" if named else "names nothing, and so applies to everything"
    if rule is None:
        return f"no rule {what}"
    return f"rule {rule.id} {what}, and is less specific" if counts else f"rule {rule.id} {what}: it counts"


def _candidates(rule: Rule, asking: Asking, city: City) -> Iterator[Candidate]:
    asked = False
    for number, name in enumerate(rule.candidates, 1):
        found = _judge(city.programs[name], asking, city, f"is choice {number} of the rule")
        if found.standing == "asked" and asked:
            found = found._replace(standing="next", why=f"{found.why}, and comes after the one that is asked")
        asked = asked or found.standing == "asked"
        yield found


def _judge(program: Program, asking: Asking, city: City, why: str) -> Candidate:
    if not program.serves(asking.district):
        return Candidate(program.name, program.agency, "other-district", _elsewhere(program, asking.district))
    if city.admits(program, asking):
        return Candidate(program.name, program.agency, "asked", why)
    policies = barring(asking, city, program.agency)
    words = f"may not know of the need: {'; '.join(map(say, policies))}"
    return Candidate(program.name, program.agency, "may-not-know", words, policies)


def barring(asking: Asking, city: City, agency: str) -> tuple[str, ...]:
    """Return the ids of the policies by which an agency may not know of a need."""
    if asking.service not in city.protects:
        return ("unknown-service",)
    return city.plan(agency, asking).verdicts[FieldGroup.NEED].withheld_by


def _elsewhere(program: Program, district: str | None) -> str:
    works = f"works only in {', '.join(sorted(program.districts))}"
    return f"{works}, and the district is {district}" if district else f"{works}, and the district is not known"


def _summary(rule: Rule | None, asked: str | None) -> str:
    if rule is None:
        return "the routing book has no rule for it"
    if asked is None:
        return f"rule {rule.id}: nobody it names serves the district and may see such a report"
    return f"rule {rule.id}: {asked} is the first that serves the district and may see such a report"
