"""Why an agency is given a field group or not, as somebody can read it: the ids that decided, and a sentence."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from services.routing.domain.city import Program
from services.routing.domain.placement import PlacementQuery, RoutingCity
from services.routing.domain.rules import Rule, RuleKey
from shared.events.fields import FieldGroup
from shared.policy.decision import DisclosurePolicy
from shared.policy.explanation import GroupExplanation, describe_denial, explain
from shared.policy.plan import ReleasePlan, Verdict

NEED_WITHHELD = "need-withheld"
"""Agreements would give it, but not what is needed: so the agency is not told of the case at all."""


class ReleasedForm(NamedTuple):
    """One form in which a group is released: the clause, why the parties agreed on it, the consents it needed."""

    form: str
    clause: str
    version: int | None
    why: str
    consents: tuple[str, ...]


class GroupDecision(NamedTuple):
    """What was decided on one group; `says` is one sentence, `clauses` is one on each clause that was tried."""

    group: FieldGroup
    released: bool
    given: tuple[ReleasedForm, ...]
    withheld_by: tuple[str, ...]
    says: str
    clauses: tuple[str, ...]


class DisclosureExplanation(NamedTuple):
    """Everything that was decided about one agency and one need; an agency that is not entitled is told nothing."""

    entitled: bool
    policy_set: str
    answers: tuple[GroupDecision, ...]

    def says(self, *, asked: bool) -> str:
        """Return one sentence on all of it; an agency that was not asked was given nothing whatever was decided."""
        by = next(each.withheld_by for each in self.answers if each.group is FieldGroup.NEED)
        if not self.entitled:
            return f"It may not know of the need, and so is told nothing at all: {'; '.join(map(in_words, by))}."
        given = [each.group for each in self.answers if each.released]
        if not asked:
            return f"It was not asked for help. If it were, it would be given {', '.join(given)}."
        return f"It may know of the need, and is given {', '.join(given)}."


def explain_disclosure(asking: PlacementQuery, city: RoutingCity, agency: str) -> DisclosureExplanation:
    """Explain what an agency is given of a case for one need, group by group."""
    plan = city.plan(agency, asking)
    told = zip(*(explain(city.sharing, query) for query in asking.queries(agency)), strict=True)
    answers = (
        _answer(_combined(each, plan), plan.verdicts[each[0].group], plan.entitled, city.sharing) for each in told
    )
    return DisclosureExplanation(plan.entitled, city.sharing.hash, tuple(answers))


def _combined(told: Sequence[GroupExplanation], plan: ReleasePlan) -> GroupExplanation:
    """Explain one group of a report by its protections: where one of them withholds it, by what withholds it."""
    group = told[0].group
    released = plan.verdicts[group].released
    why = dict.fromkeys(sentence for each in told if each.released is released for sentence in each.why)
    return GroupExplanation(group, released, tuple(why))


def _answer(told: GroupExplanation, verdict: Verdict, entitled: bool, sharing: DisclosurePolicy) -> GroupDecision:  # noqa: FBT001
    given = tuple(_giving(verdict, sharing))
    if entitled and given:
        return GroupDecision(told.group, True, given, (), _given_in_words(told.group, given), told.why)
    by = verdict.withheld_by or (NEED_WITHHELD,)
    return GroupDecision(
        told.group, False, (), by, f"{told.group} is withheld: {'; '.join(map(in_words, by))}.", told.why
    )


def in_words(policy: str) -> str:
    """Return the words for an id in `Answer.withheld_by`."""
    return "the agency may not know what is needed" if policy == NEED_WITHHELD else describe_denial(policy)


def _giving(verdict: Verdict, sharing: DisclosurePolicy) -> Iterator[ReleasedForm]:
    for form, (ground, *consents) in verdict.grounds_in.items():
        relied_on = tuple(each.id for each in consents if each.kind == "consent")
        yield ReleasedForm(form, ground.id, ground.version, _why(ground.id, sharing), relied_on)


def _why(ground: str, sharing: DisclosurePolicy) -> str:
    agreement_id, _, clause_id = ground.partition("/")
    found = (
        clause.why
        for agreement in sharing.agreements
        if agreement.id == agreement_id
        for clause in agreement.share
        if clause.id == clause_id
    )
    return next(found, "")


def _given_in_words(group: FieldGroup, given: tuple[ReleasedForm, ...]) -> str:
    ways = (f"{each.form} under {each.clause} (version {each.version}){_relying(each)}" for each in given)
    return f"{group} is released {', and '.join(ways)}: {given[0].why}"


def _relying(giving: ReleasedForm) -> str:
    return f" by consent {' and '.join(giving.consents)}" if giving.consents else ""


CandidateStatus = Literal["asked", "next", "other-district", "may-not-know"]


class RuleLookup(NamedTuple):
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
    standing: CandidateStatus
    why: str
    policies: tuple[str, ...] = ()


class PlacementExplanation(NamedTuple):
    """Which rule counts for a need and why, how each of its candidates stands, and who is asked."""

    need: str
    rule: str | None
    looks: tuple[RuleLookup, ...]
    candidates: tuple[Candidate, ...]
    fallback: Candidate | None
    asked: str | None
    why: str


def explain_placement(asking: PlacementQuery, city: RoutingCity) -> PlacementExplanation:
    """Explain who is asked for help with a need that is placed for the first time."""
    rule = city.book.find(asking.service, asking.need, asking.district)
    candidates = tuple(_candidates(rule, asking, city)) if rule else ()
    asked = next((each.program for each in candidates if each.standing == "asked"), None)
    fallback = None
    if rule and rule.fallback:
        fallback = _judge(city.programs[rule.fallback], asking, city, "is asked when nobody has answered in time")
        fallback = fallback._replace(standing="next") if fallback.standing == "asked" else fallback
    return PlacementExplanation(
        need=asking.need,
        rule=rule.id if rule else None,
        looks=tuple(_looks(asking, city)),
        candidates=candidates,
        fallback=fallback,
        asked=asked,
        why=_summary(rule, asked),
    )


def _looks(asking: PlacementQuery, city: RoutingCity) -> Iterator[RuleLookup]:
    counts: Rule | None = None
    for key, rule in city.book.looks(asking.service, asking.need, asking.district):
        yield RuleLookup(*key, rule.id if rule else None, _why_look(key, rule, counts))
        counts = counts or rule


def _why_look(key: RuleKey, rule: Rule | None, counts: Rule | None) -> str:
    named = [f"{kind} {name}" for kind, name in zip(("service", "need", "district"), key, strict=True) if name]
    what = f"names {' and '.join(named)}" if named else "names nothing, and so applies to everything"
    if rule is None:
        return f"no rule {what}"
    return f"rule {rule.id} {what}, and is less specific" if counts else f"rule {rule.id} {what}: it counts"


def _candidates(rule: Rule, asking: PlacementQuery, city: RoutingCity) -> Iterator[Candidate]:
    asked = False
    for number, name in enumerate(rule.candidates, 1):
        found = _judge(city.programs[name], asking, city, f"is choice {number} of the rule")
        if found.standing == "asked" and asked:
            found = found._replace(standing="next", why=f"{found.why}, and comes after the one that is asked")
        asked = asked or found.standing == "asked"
        yield found


def _judge(program: Program, asking: PlacementQuery, city: RoutingCity, why: str) -> Candidate:
    if not program.serves(asking.district):
        return Candidate(program.name, program.agency, "other-district", _elsewhere(program, asking.district))
    if city.admits(program, asking):
        return Candidate(program.name, program.agency, "asked", why)
    policies = denying_policies(asking, city, program.agency)
    words = f"may not know of the need: {'; '.join(map(describe_denial, policies))}"
    return Candidate(program.name, program.agency, "may-not-know", words, policies)


def denying_policies(asking: PlacementQuery, city: RoutingCity, agency: str) -> tuple[str, ...]:
    """Return the ids of the policies by which an agency may not know of a need."""
    if not city.lists(asking.service):
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
