"""Explain why an agency is given a field group or not, and why a program is asked: policy ids, and a sentence each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from services.routing.domain.city import PlacementQuery, RoutingCity
from shared.city.city import Program
from shared.city.routing_rules import Rule, RuleKey
from shared.events.fields import FieldGroup
from shared.policy.decision import DisclosurePolicy
from shared.policy.explanation import GroupExplanation, describe_denial, explain
from shared.policy.plan import ReleasePlan, Verdict

NEED_WITHHELD: Final = "need-withheld"
"""The denial of a group that agreements release to an agency that may not know of the need: it is given nothing."""


@dataclass(frozen=True, slots=True)
class ReleasedForm:
    """One form in which a group is released: the clause, why the parties agreed on it, the consents it needed."""

    form: str
    clause: str
    version: int | None
    why: str
    consents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """What was decided on one field group; `says` is one sentence, `clauses` is one on each clause that was tried."""

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
        """Return one sentence on all of it; an agency that was not asked for help was given nothing."""
        denials = next(each.withheld_by for each in self.answers if each.group is FieldGroup.NEED)
        if not self.entitled:
            return f"It may not know of the need, and so is told nothing at all: {_in_words(denials)}."
        given = [each.group for each in self.answers if each.released]
        if not asked:
            return f"It was not asked for help. If it were, it would be given {', '.join(given)}."
        return f"It may know of the need, and is given {', '.join(given)}."


CandidateStatus = Literal["asked", "next", "other-district", "may-not-know"]


@dataclass(frozen=True, slots=True)
class RuleLookup:
    """One look-up in the routing rules: what a rule would have to name, and the id of the rule that does, if any."""

    service: str | None
    need: str | None
    district: str | None
    rule: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program that the rule names, and its status; `policies` are the ids of those that deny its agency the need."""

    program: str
    agency: str
    standing: CandidateStatus
    why: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacementExplanation:
    """Which rule applies to a need and why, the status of each of its candidates, and the program that is asked."""

    need: str
    rule: str | None
    looks: tuple[RuleLookup, ...]
    candidates: tuple[Candidate, ...]
    fallback: Candidate | None
    asked: str | None
    why: str


def explain_disclosure(query: PlacementQuery, city: RoutingCity, agency: str) -> DisclosureExplanation:
    """Explain what an agency may receive of a case for one need, group by group."""
    plan = city.plan(agency, query)
    by_protection = zip(*(explain(city.policy, each) for each in query.queries(agency)), strict=True)
    groups = (_group_decision(_combined(each, plan), plan, city.policy) for each in by_protection)
    return DisclosureExplanation(plan.entitled, city.policy.hash, tuple(groups))


def describe_policy(policy: str) -> str:
    """Return the words for an id in `GroupDecision.withheld_by`."""
    return "the agency may not know what is needed" if policy == NEED_WITHHELD else describe_denial(policy)


def explain_placement(query: PlacementQuery, city: RoutingCity) -> PlacementExplanation:
    """Explain which program is asked for help with a need that is placed for the first time."""
    rule = city.rules.find(query.service, query.need, query.district)
    candidates = tuple(_candidates(rule, query, city)) if rule else ()
    asked = next((each.program for each in candidates if each.standing == "asked"), None)
    fallback = None
    if rule and rule.fallback:
        fallback = _candidate(city.programs[rule.fallback], query, city, "is asked when no candidate answers in time")
        fallback = replace(fallback, standing="next") if fallback.standing == "asked" else fallback
    return PlacementExplanation(
        need=query.need,
        rule=rule.id if rule else None,
        looks=tuple(_lookups(query, city)),
        candidates=candidates,
        fallback=fallback,
        asked=asked,
        why=_summary(rule, asked),
    )


def _combined(by_protection: Sequence[GroupExplanation], plan: ReleasePlan) -> GroupExplanation:
    """Explain one group of a report by its protections: where one of them withholds it, by what withholds it."""
    group = by_protection[0].group
    released = plan.verdicts[group].released
    why = dict.fromkeys(sentence for each in by_protection if each.released is released for sentence in each.why)
    return GroupExplanation(group, released, tuple(why))


def _group_decision(explained: GroupExplanation, plan: ReleasePlan, policy: DisclosurePolicy) -> GroupDecision:
    verdict, group = plan.verdicts[explained.group], explained.group
    forms = tuple(_released_forms(verdict, policy))
    if plan.entitled and forms:
        return GroupDecision(group, True, forms, (), _describe_release(group, forms), explained.why)
    denials = verdict.withheld_by or (NEED_WITHHELD,)
    return GroupDecision(group, False, (), denials, f"{group} is withheld: {_in_words(denials)}.", explained.why)


def _released_forms(verdict: Verdict, policy: DisclosurePolicy) -> Iterator[ReleasedForm]:
    for form, (ground, *others) in verdict.grounds_in.items():
        consents = tuple(each.id for each in others if each.kind == "consent")
        yield ReleasedForm(form, ground.id, ground.version, _why(ground.id, policy), consents)


def _why(ground: str, policy: DisclosurePolicy) -> str:
    """Return why the parties agreed on a clause, in their own words; `ground` is agreement/clause."""
    agreement_id, _, clause_id = ground.partition("/")
    found = (
        clause.why
        for agreement in policy.agreements
        if agreement.id == agreement_id
        for clause in agreement.share
        if clause.id == clause_id
    )
    return next(found, "")


def _describe_release(group: FieldGroup, forms: tuple[ReleasedForm, ...]) -> str:
    ways = (f"{each.form} under {each.clause} (version {each.version}){_by_consents(each)}" for each in forms)
    return f"{group} is released {', and '.join(ways)}: {forms[0].why}"


def _by_consents(form: ReleasedForm) -> str:
    return f" by consent {' and '.join(form.consents)}" if form.consents else ""


def _in_words(policies: Sequence[str]) -> str:
    return "; ".join(map(describe_policy, policies))


def _lookups(query: PlacementQuery, city: RoutingCity) -> Iterator[RuleLookup]:
    applied: Rule | None = None
    for key, rule in city.rules.lookups(query.service, query.need, query.district):
        yield RuleLookup(*key, rule.id if rule else None, _describe_lookup(key, rule, applied))
        applied = applied or rule


def _describe_lookup(key: RuleKey, rule: Rule | None, applied: Rule | None) -> str:
    named = [f"{kind} {name}" for kind, name in zip(("service", "need", "district"), key, strict=True) if name]
    what = f"names {' and '.join(named)}" if named else "names nothing, and so applies to everything"
    if rule is None:
        return f"no rule {what}"
    return f"rule {rule.id} {what}, and is less specific" if applied else f"rule {rule.id} {what}: it counts"


def _candidates(rule: Rule, query: PlacementQuery, city: RoutingCity) -> Iterator[Candidate]:
    is_asked = False
    for number, name in enumerate(rule.candidates, 1):
        found = _candidate(city.programs[name], query, city, f"is choice {number} of the rule")
        if found.standing == "asked" and is_asked:
            found = replace(found, standing="next", why=f"{found.why}, and comes after the one that is asked")
        is_asked = is_asked or found.standing == "asked"
        yield found


def _candidate(program: Program, query: PlacementQuery, city: RoutingCity, why: str) -> Candidate:
    if not program.serves(query.district):
        return Candidate(
            program.name, program.agency, "other-district", _describe_districts(program, query.district), ()
        )
    if city.admits(program, query):
        return Candidate(program.name, program.agency, "asked", why, ())
    policies = city.denied_by(program.agency, query)
    words = f"may not know of the need: {'; '.join(map(describe_denial, policies))}"
    return Candidate(program.name, program.agency, "may-not-know", words, policies)


def _describe_districts(program: Program, district: str | None) -> str:
    works = f"works only in {', '.join(sorted(program.districts))}"
    return f"{works}, and the district is {district}" if district else f"{works}, and the district is not known"


def _summary(rule: Rule | None, asked: str | None) -> str:
    if rule is None:
        return "no routing rule applies"
    if asked is None:
        return f"rule {rule.id}: no candidate serves the district and may know of the need"
    return f"rule {rule.id}: {asked} is the first that serves the district and may know of the need"
