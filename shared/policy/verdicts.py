"""Combines the evaluations of all clauses into a verdict on each group and the terms of use."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from shared.events.fields import FieldGroup
from shared.policy.agreements import Form
from shared.policy.clause_evaluation import ClauseEvaluation
from shared.policy.consent import Consent
from shared.policy.plan import CONSENT_ONLY, REDISCLOSURE_NOTICE, ReleaseGround, ReleaseTerms, Verdict

NO_AGREEMENT: Final = "no-agreement"
"""No clause from the case's sources to the agency, for this need, names the group."""

NEEDS_CONSENT: Final = frozenset({"needs-consent", "victim-services-needs-consent", "substance-use-needs-consent"})
"""The policies that require a consent; if one of them denied, the denials of the consents are reported too."""


class ClauseGrant(NamedTuple):
    """A clause that releases a group, with the consents that were required."""

    evaluation: ClauseEvaluation
    consents: tuple[Consent, ...]

    @property
    def grounds(self) -> tuple[ReleaseGround, ...]:
        """The grounds of the release."""
        return (
            self.evaluation.indexed.ground,
            *(ReleaseGround("consent", str(consent.consent_id)) for consent in self.consents),
        )


Grants = Mapping[tuple[FieldGroup, Form], ClauseGrant]


def choose_grants(evaluations: Iterable[ClauseEvaluation], protects: FieldGroup | None) -> Grants:
    """Choose the clause that releases a group in each form: without consent first, then the shortest embargo."""
    chosen: dict[tuple[FieldGroup, Form], ClauseGrant] = {}
    for evaluation in evaluations:
        if not evaluation.denied_by:
            key = evaluation.group, evaluation.indexed.clause.form
            grant = ClauseGrant(evaluation, _required_consents(evaluation, protects))
            chosen[key] = min(chosen.get(key, grant), grant, key=_preference)
    return chosen


def write_verdicts(evaluations: Sequence[ClauseEvaluation], grants: Grants) -> Mapping[FieldGroup, Verdict]:
    """Return, for each group, the forms in which it is released with their grounds, or the denials."""
    return {group: _verdict(group, evaluations, grants) for group in FieldGroup}


def write_terms(grants: Grants, protects: FieldGroup | None) -> tuple[ReleaseTerms, ...]:
    """Return the terms of use, one entry for each agreement and each consent that was required."""
    terms: dict[tuple[str, UUID | None], ReleaseTerms] = {}
    for grant in grants.values():
        for consent_id in tuple(consent.consent_id for consent in grant.consents) or (None,):
            new = _terms(grant, consent_id, protects)
            old = terms.get((new.agreement, consent_id), new)
            groups = tuple(group for group in FieldGroup if group in {*old.groups, *new.groups})
            terms[new.agreement, consent_id] = old._replace(groups=groups, notice=old.notice or new.notice)
    return tuple(terms[key] for key in sorted(terms, key=str))


def denials_of(evaluation: ClauseEvaluation) -> tuple[str, ...]:
    """Return the policies that denied an evaluation; if a consent is missing, also those of its consents."""
    missing = not NEEDS_CONSENT.isdisjoint(evaluation.denied_by)
    return (*evaluation.denied_by, *(evaluation.consents.denied_by if missing else ()))


def _verdict(group: FieldGroup, evaluations: Sequence[ClauseEvaluation], grants: Grants) -> Verdict:
    granted = {form: grants[group, form] for form in Form if (group, form) in grants}
    if not granted:
        denied_by = dict.fromkeys(
            why for evaluation in evaluations if evaluation.group is group for why in denials_of(evaluation)
        )
        return Verdict({}, withheld_by=tuple(denied_by) or (NO_AGREEMENT,))
    return Verdict(
        {form: grant.grounds for form, grant in granted.items()},
        delays={form: grant.evaluation.indexed.clause.delay_days for form, grant in granted.items()},
    )


def _required_consents(evaluation: ClauseEvaluation, protects: FieldGroup | None) -> tuple[Consent, ...]:
    """Choose the consents that a release requires: as few as possible, those that end last."""
    chosen: list[Consent] = []
    for wanted in _required_groups(evaluation, protects):
        naming = [consent for consent in evaluation.consents.valid if not wanted.isdisjoint(consent.groups)]
        if naming and not any(consent in chosen for consent in naming):
            chosen.append(max(naming, key=lambda consent: (consent.ends_at, consent.consent_id)))
    return tuple(chosen)


def _required_groups(evaluation: ClauseEvaluation, protects: FieldGroup | None) -> Iterator[set[FieldGroup]]:
    """Yield each requirement as a set of groups: a valid consent must name one group of the set."""
    if evaluation.group in CONSENT_ONLY:
        yield {evaluation.group}
    if protects in CONSENT_ONLY or evaluation.indexed.clause.consent:
        yield {evaluation.group} if protects is None else {evaluation.group, protects}


def _preference(grant: ClauseGrant) -> tuple[bool, int, str]:
    return bool(grant.consents), grant.evaluation.indexed.clause.delay_days, grant.evaluation.indexed.ground.id


def _terms(grant: ClauseGrant, consent_id: UUID | None, protects: FieldGroup | None) -> ReleaseTerms:
    group, agreement = grant.evaluation.group, grant.evaluation.indexed.agreement
    part_2 = FieldGroup.SUBSTANCE_USE in {group, protects}
    return ReleaseTerms(
        agreement=agreement.id,
        version=agreement.version,
        purpose=agreement.purpose,
        consent_id=consent_id,
        groups=(group,),
        onward=agreement.onward,
        retain_days=agreement.retain_days,
        notice=REDISCLOSURE_NOTICE if part_2 else None,
    )
