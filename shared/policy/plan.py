"""The release plan: which groups of one case are released to one agency, and the ground of each decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final, Literal, NamedTuple
from uuid import UUID

from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import Form

CONSENT_ONLY: Final = frozenset({FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE})
"""Groups that need a valid written consent, whatever agreements say."""

NEVER_MENTIONED: Final = CONSENT_ONLY
"""Groups whose existence reveals something about a person: `withheld` does not list them."""

REDISCLOSURE_NOTICE: Final = (
    "42 CFR part 2 prohibits unauthorized use or disclosure of these records. Nothing of them may be passed on."
)
"""Accompanies every disclosure of `substance_use` (42 CFR 2.32(a)(2), and a rule of this system)."""


class ReleaseGround(NamedTuple):
    """One legal ground of a disclosure: `housing-health/inspections` in version 3, or a consent by its id."""

    kind: Literal["agreement", "consent", "emergency"]
    id: str
    version: int | None = None


class ReleaseTerms(NamedTuple):
    """The terms of use for some groups, one entry for each agreement and each consent that was required.

    `onward` permits passing the data on, `retain_days` limits how long the recipient may keep it, `notice` must be
    shown to every reader.
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
    """The decision about one group.

    `grounds_in` has, for each form in which the group is released, one clause and the consents that it required. If
    several clauses release it, a clause without consent is named first, then the one with the shortest embargo.
    `withheld_by` has the ids of the policies that denied it (`agreement-ended`, `needs-consent`, ...) and is empty if
    the group is released. `delays` has the embargo in days by form.
    """

    grounds_in: Mapping[Form, tuple[ReleaseGround, ...]]
    withheld_by: tuple[str, ...] = ()
    delays: Mapping[Form, int] = field(default_factory=dict)

    @property
    def released(self) -> bool:
        """Whether the group is released in any form."""
        return bool(self.grounds_in)

    @property
    def forms(self) -> frozenset[Form]:
        """The forms in which the group is released."""
        return frozenset(self.grounds_in)

    @property
    def grounds(self) -> tuple[ReleaseGround, ...]:
        """The grounds of its release in all forms."""
        return tuple(dict.fromkeys(ground for grounds in self.grounds_in.values() for ground in grounds))


@dataclass(frozen=True)
class ReleasePlan:
    """The decision for one referral, with a verdict on every group.

    It is valid from `valid_from` (inclusive) to `valid_until` (exclusive), when an agreement or a consent starts or
    ends, and only as long as agreements and consents do not change.
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
        """Whether the agency may receive the case at all: whether the group `need` is released."""
        return self.verdicts[FieldGroup.NEED].released

    @cached_property
    def groups(self) -> frozenset[FieldGroup]:
        """The groups that are released in any form: what the partner API returns."""
        return frozenset(group for group, verdict in self.verdicts.items() if verdict.released)

    @cached_property
    def withheld(self) -> tuple[FieldGroup, ...]:
        """The groups that are released in no form, except those that are never mentioned."""
        return tuple(group for group in FieldGroup if group not in self.groups and group not in NEVER_MENTIONED)

    @cached_property
    def forms(self) -> Mapping[Form, frozenset[FieldGroup]]:
        """The released groups by form."""
        return {
            form: frozenset(group for group, verdict in self.verdicts.items() if form in verdict.grounds_in)
            for form in Form
        }

    def groups_in(self, form: Form) -> frozenset[FieldGroup]:
        """Return the groups that are released in a form; a group can be released in several."""
        return self.forms[form]

    @cached_property
    def is_restricted(self) -> bool:
        """Whether the released data is restricted."""
        return self.protects is not None or not self.groups.isdisjoint(RESTRICTED)

    @cached_property
    def consents(self) -> frozenset[UUID]:
        """The consents that the plan depends on."""
        return frozenset(term.consent_id for term in self.terms if term.consent_id is not None)

    def grounds_of(self, groups: tuple[FieldGroup, ...]) -> tuple[ReleaseGround, ...]:
        """Return the grounds for these groups; without groups, the grounds for the group `need`."""
        found = self._grounds.get(groups)
        if found is None:
            wanted = groups or (FieldGroup.NEED,)
            found = tuple(dict.fromkeys(ground for group in wanted for ground in self.verdicts[group].grounds))
            self._grounds[groups] = found
        return found

    @cached_property
    def _grounds(self) -> dict[tuple[FieldGroup, ...], tuple[ReleaseGround, ...]]:
        """Cache of `grounds_of`: a plan is shared by many cases and asked for the same groups each time."""
        return {}

    @cached_property
    def forms_in_use(self) -> tuple[Form, ...]:
        """The forms in which at least one group is released."""
        return tuple(form for form, groups in self.forms.items() if groups)

    @cached_property
    def longest_delay_days(self) -> int:
        """The longest embargo of a disclosure under this plan, in days."""
        return max((self.delay_days(form) for form in self.forms_in_use), default=0)

    def delay_days(self, form: Form) -> int:
        """Return the embargo of a disclosure in this form, in days."""
        return max((verdict.delays.get(form, 0) for verdict in self.verdicts.values()), default=0)


def intersect(plan: ReleasePlan, other: ReleasePlan) -> ReleasePlan:
    """Return the plan that releases what both plans release, in their common forms, on the grounds and terms of both.

    For a report with two protections: a group must be released under the rules of each.
    """
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
