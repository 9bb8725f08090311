"""The release plan: what one agency is given of one case, what is withheld, and what decided each of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Literal, NamedTuple
from uuid import UUID

from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import Form

CONSENT_ONLY: Final = frozenset({FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE})
"""Groups that nobody is given without a live written consent, whatever agreements say."""

NEVER_MENTIONED: Final = CONSENT_ONLY
"""Groups whose mere existence tells something about a person: their withholding is not mentioned."""

REDISCLOSURE_NOTICE: Final = (
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records. Nothing of them may be passed on."
)
"""Goes with every disclosure of `substance_use` (42 CFR 2.32(a)(2), and this system's own rule)."""


class ReleaseGround(NamedTuple):
    """One thing that a disclosure stands on: `housing-health/inspections` in version 3, or a consent by its id."""

    kind: Literal["agreement", "consent", "emergency"]
    id: str
    version: int | None = None


class ReleaseTerms(NamedTuple):
    """On what terms a recipient has some groups: once for each agreement and each consent that it needed.

    `onward` tells whether it may pass them on, `retain_days` for how long it may keep them, `notice` is to be shown to
    whoever sees them.
    """

    agreement: str
    version: int
    purpose: str
    consent_id: UUID | None
    groups: tuple[FieldGroup, ...]
    onward: bool
    retain_days: int
    notice: str | None


@dataclass(frozen=True)
class Verdict:
    """What was decided about one group.

    `grounds_in` has, for each form in which the group is released, what that stands on: one clause, and the consents
    that it needed. Of several clauses that release it, one without consent is named, then one with the least delay.
    `withheld_by` has the ids of the policies that decided against it (`agreement-ended`, `needs-consent`, ...), and is
    empty when it is released. `delays` has, by form, for how many days the person's own view may be silent about it.
    """

    grounds_in: Mapping[Form, tuple[ReleaseGround, ...]]
    withheld_by: tuple[str, ...] = ()
    delays: Mapping[Form, int] = field(default_factory=dict)

    @property
    def released(self) -> bool:
        """Whether the agency is given the group in any form."""
        return bool(self.grounds_in)

    @property
    def forms(self) -> frozenset[Form]:
        """The forms in which the agency is given it."""
        return frozenset(self.grounds_in)

    @property
    def grounds(self) -> tuple[ReleaseGround, ...]:
        """What its release stands on, whatever the form."""
        return tuple(dict.fromkeys(ground for grounds in self.grounds_in.values() for ground in grounds))


@dataclass(frozen=True)
class ReleasePlan:
    """The decision for one referral; it has a verdict on every group.

    It holds from `valid_from` until just before `valid_until`, when an agreement or a consent begins or ends. Nobody
    may use it outside of that, nor after agreements or consents have changed.
    """

    agency: str
    protects: FieldGroup | None
    verdicts: Mapping[FieldGroup, Verdict]
    policy_set: str
    """The hash of the policies and agreements that decided."""
    terms: tuple[ReleaseTerms, ...]
    valid_from: datetime
    valid_until: datetime

    @cached_property
    def entitled(self) -> bool:
        """Whether the case may reach the agency at all: whether it may know what is needed."""
        return self.verdicts[FieldGroup.NEED].released

    @cached_property
    def groups(self) -> frozenset[FieldGroup]:
        """What is released in any form: what the partner API gives."""
        return frozenset(group for group, verdict in self.verdicts.items() if verdict.released)

    @cached_property
    def withheld(self) -> tuple[FieldGroup, ...]:
        """What is not released in any form, as far as that may be mentioned."""
        return tuple(group for group in FieldGroup if group not in self.groups and group not in NEVER_MENTIONED)

    @cached_property
    def forms(self) -> Mapping[Form, frozenset[FieldGroup]]:
        """What is released, by form."""
        return {
            form: frozenset(group for group, verdict in self.verdicts.items() if form in verdict.grounds_in)
            for form in Form
        }

    def groups_in(self, form: Form) -> frozenset[FieldGroup]:
        """Return what is released in a form; a group may be released in several."""
        return self.forms[form]

    @cached_property
    def is_restricted(self) -> bool:
        """Whether what the agency is given must be handled as restricted."""
        return self.protects is not None or not self.groups.isdisjoint(RESTRICTED)

    @cached_property
    def consents(self) -> frozenset[UUID]:
        """The consents that something in the plan stands on."""
        return frozenset(term.consent_id for term in self.terms if term.consent_id is not None)

    def grounds_of(self, groups: tuple[FieldGroup, ...]) -> tuple[ReleaseGround, ...]:
        """Return what the release of these groups stands on; without any, what lets the agency know of the need."""
        found = self._grounds.get(groups)
        if found is None:
            wanted = groups or (FieldGroup.NEED,)
            found = tuple(dict.fromkeys(ground for group in wanted for ground in self.verdicts[group].grounds))
            self._grounds[groups] = found
        return found

    @cached_property
    def _grounds(self) -> dict[tuple[FieldGroup, ...], tuple[ReleaseGround, ...]]:
        """The grounds of the sets of groups that were asked for: a plan is asked the same again and again."""
        return {}

    @cached_property
    def forms_in_use(self) -> tuple[Form, ...]:
        """The forms in which something is released."""
        return tuple(form for form, groups in self.forms.items() if groups)

    @cached_property
    def longest_delay_days(self) -> int:
        """For how many days the person's own view may be silent about a disclosure under this plan."""
        return max((self.delay_days(form) for form in self.forms_in_use), default=0)

    def delay_days(self, form: Form) -> int:
        """Return for how many days the person's own view may be silent about a disclosure in this form."""
        return max((verdict.delays.get(form, 0) for verdict in self.verdicts.values()), default=0)


def intersect(plan: ReleasePlan, other: ReleasePlan) -> ReleasePlan:
    """Return what both plans for one agency release, in the forms that both name, on the grounds and terms of both."""
    verdicts = {group: _both(verdict, other.verdicts[group]) for group, verdict in plan.verdicts.items()}
    narrowed = replace(
        plan,
        verdicts=verdicts,
        terms=(),
        valid_from=max(plan.valid_from, other.valid_from),
        valid_until=min(plan.valid_until, other.valid_until),
    )
    terms = (_of(narrowed, each) for each in dict.fromkeys((*plan.terms, *other.terms)))
    return replace(narrowed, terms=tuple(each for each in terms if each.groups))


def _both(one: Verdict, other: Verdict) -> Verdict:
    common = [form for form in one.grounds_in if form in other.grounds_in]
    return Verdict(
        {form: tuple(dict.fromkeys((*one.grounds_in[form], *other.grounds_in[form]))) for form in common},
        () if common else tuple(dict.fromkeys((*one.withheld_by, *other.withheld_by))),
        {form: max(one.delays.get(form, 0), other.delays.get(form, 0)) for form in common},
    )


def _of(narrowed: ReleasePlan, terms: ReleaseTerms) -> ReleaseTerms:
    return terms._replace(groups=tuple(group for group in terms.groups if group in narrowed.groups))
