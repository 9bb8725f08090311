"""Explains in words why a group is released or withheld. Slow: evaluates every clause to the agency."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from shared.events.fields import FieldGroup
from shared.policy.agreements import Form
from shared.policy.clause_evaluation import NOT_PERMITTED, ClauseEvaluation
from shared.policy.decision import DisclosurePolicy
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleaseGround, Verdict
from shared.policy.verdicts import NO_AGREEMENT, denials_of

WORDS: Final[Mapping[str, str]] = {
    NO_AGREEMENT: "no agreement releases it to this agency",
    NOT_PERMITTED: "no party that shares under it holds this case",
    "agreement-suspended": "the agreement is suspended",
    "agreement-ended": "the agreement has ended",
    "agreement-not-begun": "the agreement has not begun",
    "unknown-service": "the service is not in the catalogue",
    "condition-not-met:need": "it is for other needs",
    "condition-not-met:service": "it is for other services",
    "condition-not-met:district": "it is for other districts",
    "condition-not-met:urgency": "it is for another urgency",
    "needs-consent": "it requires a consent that names the agency and the group",
    "victim-services-needs-consent": "victim services require a consent that names the agency and the group",
    "substance-use-needs-consent": "42 CFR part 2 requires a consent that names the agency and the group",
    "substance-use-never-onward": "substance use data may not go to a recipient that may pass it on",
    "restricted-never-full": "restricted data is released sealed or on request only",
    "no-public-key": "the agency has no public key to seal it to",
    "consent-for-another-purpose": "a consent is for another purpose",
    "consent-not-begun": "a consent was given later",
    "consent-ended": "a consent has ended",
    "consent-withdrawn": "a consent was withdrawn",
}
"""The meaning of each id in `Verdict.withheld_by`."""

_FORMS: Final[Mapping[Form, str]] = {
    Form.FULL: "in the event",
    Form.SEALED: "sealed to its key",
    Form.THIN: "when it asks",
}


class GroupExplanation(NamedTuple):
    """Why one group is released or withheld; each entry of `why` is a sentence."""

    group: FieldGroup
    released: bool
    why: tuple[str, ...]


def explain(policy: DisclosurePolicy, query: DisclosureQuery) -> tuple[GroupExplanation, ...]:
    """Explain the plan for a query, group by group.

    The sentences name agreements, clauses and consent ids, and contain no data of the case.
    """
    plan, evaluations = policy.plan(query), policy.evaluate_clauses(query)
    return tuple(
        GroupExplanation(
            group,
            verdict.released,
            tuple(_given(verdict, evaluations) if verdict.released else _refused(group, evaluations)),
        )
        for group, verdict in plan.verdicts.items()
    )


def describe_denial(why: str) -> str:
    """Return the words for an id in `Verdict.withheld_by`."""
    if why.startswith("error:"):
        return f"the policy {why.removeprefix('error:')} could not be evaluated, which counts as a denial"
    return WORDS.get(why, why)


def _given(verdict: Verdict, evaluations: list[ClauseEvaluation]) -> Iterator[str]:
    reasons = {evaluation.indexed.ground: evaluation.indexed.clause.why for evaluation in evaluations}
    for form, (clause, *consents) in verdict.grounds_in.items():
        relying = f", by consent {' and '.join(consent.id for consent in consents)}" if consents else ""
        yield f"{_name(clause)} gives it {_FORMS[form]}{relying}: {reasons[clause]}"


def _refused(group: FieldGroup, evaluations: list[ClauseEvaluation]) -> Iterator[str]:
    concerned = [evaluation for evaluation in evaluations if evaluation.group is group]
    for evaluation in concerned:
        denials = "; ".join(map(describe_denial, denials_of(evaluation)))
        yield f"{_name(evaluation.indexed.ground)} does not give it: {denials}."
    if not concerned:
        yield f"Withheld: {describe_denial(NO_AGREEMENT)}."


def _name(ground: ReleaseGround) -> str:
    return f"{ground.id} (version {ground.version})"
