"""Says in words why an agency is given a group or not. It is slow: every clause to the agency is tried."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from shared.events.fields import FieldGroup
from shared.policy.agreements import Form
from shared.policy.clause_evaluation import NOT_PERMITTED, Trial
from shared.policy.decision import Sharing
from shared.policy.disclosure_query import Inquiry
from shared.policy.plan import Ground, Verdict
from shared.policy.verdicts import NO_AGREEMENT, denied_by

WORDS: Final[Mapping[str, str]] = {
    NO_AGREEMENT: "no agreement lets this agency have it",
    NOT_PERMITTED: "nobody who gives under it holds this case",
    "agreement-suspended": "the agreement is suspended",
    "agreement-ended": "the agreement has ended",
    "agreement-not-begun": "the agreement has not begun",
    "unknown-service": "the catalogue has no such service",
    "condition-not-met:need": "it is for other needs",
    "condition-not-met:service": "it is for other services",
    "condition-not-met:district": "it is for other districts",
    "condition-not-met:urgency": "it is for another urgency",
    "needs-consent": "it asks for a consent that names the agency and the group",
    "victim-services-needs-consent": "victim services ask for a consent that names the agency and the group",
    "substance-use-needs-consent": "42 CFR part 2 asks for a consent that names the agency and the group",
    "substance-use-never-onward": "what concerns substance use may not go where it may be passed on",
    "restricted-never-full": "restricted data goes only sealed or on request",
    "no-public-key": "the agency has no public key to seal it to",
    "consent-for-another-purpose": "a consent is for another purpose",
    "consent-not-begun": "a consent was given later",
    "consent-ended": "a consent has ended",
    "consent-withdrawn": "a consent was withdrawn",
}
"""What each id in `Verdict.withheld_by` means."""

_FORMS: Final[Mapping[Form, str]] = {
    Form.FULL: "in the event",
    Form.SEALED: "sealed to its key",
    Form.THIN: "when it asks",
}


class Explanation(NamedTuple):
    """Why one group is released or withheld; each of `why` is a sentence of its own."""

    group: FieldGroup
    released: bool
    why: tuple[str, ...]


def explain(sharing: Sharing, inquiry: Inquiry) -> tuple[Explanation, ...]:
    """Explain the plan for an inquiry, group by group.

    It names agreements, clauses and the ids of consents, and nothing of the case itself.
    """
    plan, trials = sharing.plan(inquiry), sharing.try_clauses(inquiry)
    return tuple(
        Explanation(
            group, verdict.released, tuple(_given(verdict, trials) if verdict.released else _refused(group, trials))
        )
        for group, verdict in plan.verdicts.items()
    )


def say(why: str) -> str:
    """Return the words for an id in `Verdict.withheld_by`."""
    if why.startswith("error:"):
        return f"the policy {why.removeprefix('error:')} could not be evaluated, which counts as a no"
    return WORDS.get(why, why)


def _given(verdict: Verdict, trials: list[Trial]) -> Iterator[str]:
    reasons = {trial.offer.ground: trial.offer.clause.why for trial in trials}
    for form, (clause, *consents) in verdict.grounds_in.items():
        relying = f", by consent {' and '.join(consent.id for consent in consents)}" if consents else ""
        yield f"{_name(clause)} gives it {_FORMS[form]}{relying}: {reasons[clause]}"


def _refused(group: FieldGroup, trials: list[Trial]) -> Iterator[str]:
    concerned = [trial for trial in trials if trial.group is group]
    for trial in concerned:
        yield f"{_name(trial.offer.ground)} does not give it: {'; '.join(map(say, denied_by(trial)))}."
    if not concerned:
        yield f"Withheld: {say(NO_AGREEMENT)}."


def _name(ground: Ground) -> str:
    return f"{ground.id} (version {ground.version})"
