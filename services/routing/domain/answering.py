"""Why an agency is given a field group or not, as somebody can read it: the ids that decided, and a sentence."""

from collections.abc import Iterator
from typing import NamedTuple

from services.routing.domain.placing import Asking, City
from shared.events.fields import FieldGroup
from shared.policy.decision import Sharing
from shared.policy.explaining import Explanation, explain, say
from shared.policy.plan import Verdict

NEED_WITHHELD = "need-withheld"
"""Agreements would give it, but not what is needed: so the agency is not told of the case at all."""


class Giving(NamedTuple):
    """One form in which a group is released: the clause, why the parties agreed on it, the consents it needed."""

    form: str
    clause: str
    version: int | None
    why: str
    consents: tuple[str, ...]


class Answer(NamedTuple):
    """What was decided on one group; `says` is one sentence, `clauses` is one on each clause that was tried."""

    group: FieldGroup
    released: bool
    given: tuple[Giving, ...]
    withheld_by: tuple[str, ...]
    says: str
    clauses: tuple[str, ...]


class Decision(NamedTuple):
    """Everything that was decided about one agency and one need; an agency that is not entitled is told nothing."""

    entitled: bool
    policy_set: str
    answers: tuple[Answer, ...]

    def says(self, *, asked: bool) -> str:
        """Return one sentence on all of it; an agency that was not asked was given nothing whatever was decided."""
        by = next(each.withheld_by for each in self.answers if each.group is FieldGroup.NEED)
        if not self.entitled:
            return f"It may not know of the need, and so is told nothing at all: {'; '.join(map(in_words, by))}."
        given = [each.group for each in self.answers if each.released]
        if not asked:
            return f"It was not asked for help. If it were, it would be given {', '.join(given)}."
        return f"It may know of the need, and is given {', '.join(given)}."


def explain_decision(asking: Asking, city: City, agency: str) -> Decision:
    """Explain what an agency is given of a case for one need, group by group."""
    inquiry = asking.of(agency)
    plan, told = city.sharing.plan(inquiry), explain(city.sharing, inquiry)
    answers = tuple(_answer(each, plan.verdicts[each.group], plan.entitled, city.sharing) for each in told)
    return Decision(plan.entitled, city.sharing.hash, answers)


def _answer(told: Explanation, verdict: Verdict, entitled: bool, sharing: Sharing) -> Answer:  # noqa: FBT001
    given = tuple(_giving(verdict, sharing))
    if entitled and given:
        return Answer(told.group, True, given, (), _given_in_words(told.group, given), told.why)
    by = verdict.withheld_by or (NEED_WITHHELD,)
    return Answer(told.group, False, (), by, f"{told.group} is withheld: {'; '.join(map(in_words, by))}.", told.why)


def in_words(policy: str) -> str:
    """Return the words for an id in `Answer.withheld_by`."""
    return "the agency may not know what is needed" if policy == NEED_WITHHELD else say(policy)


def _giving(verdict: Verdict, sharing: Sharing) -> Iterator[Giving]:
    for form, (ground, *consents) in verdict.grounds_in.items():
        yield Giving(form, ground.id, ground.version, _why(ground.id, sharing), tuple(each.id for each in consents))


def _why(ground: str, sharing: Sharing) -> str:
    agreement_id, _, clause_id = ground.partition("/")
    found = (
        clause.why
        for agreement in sharing.agreements
        if agreement.id == agreement_id
        for clause in agreement.share
        if clause.id == clause_id
    )
    return next(found, "")


def _given_in_words(group: FieldGroup, given: tuple[Giving, ...]) -> str:
    ways = (f"{each.form} under {each.clause} (version {each.version}){_relying(each)}" for each in given)
    return f"{group} is released {', and '.join(ways)}: {given[0].why}"


def _relying(giving: Giving) -> str:
    return f" by consent {' and '.join(giving.consents)}" if giving.consents else ""
