"""A what-if run: past cases decided again under changed agreements or routing rules, and what would have differed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.city import CaseSnapshot, PlacementQuery, RoutingCity
from services.routing.domain.placement import Placed, place
from shared.events.fields import FieldGroup
from shared.events.intake import Need
from shared.policy.agreements import Agreement, Form
from shared.policy.consent import Consent

GroupsByForm = Mapping[Form, frozenset[FieldGroup]]
"""The field groups that an agency may receive, by the form in which they are released."""

NOTHING: Final[GroupsByForm] = {}


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case, when it was routed, and every consent that was ever given in it."""

    case: CaseState
    routed_at: datetime
    consents: tuple[Consent, ...] = ()

    def query(self, city: RoutingCity, need: Need, at: datetime, holders: Iterable[str]) -> PlacementQuery:
        """Return the query that places a need at a moment in the past, with the consents as they were then."""
        return self._query(city, need, at, holders, consents_as_known(self.consents, at))

    def query_now(self, city: RoutingCity, need: Need, now: datetime) -> PlacementQuery:
        """Return the query that places a need now."""
        return self._query(city, need, now, self.holders(now), self.consents)

    def holders(self, at: datetime) -> frozenset[str]:
        """Return the agencies that had a referral in the case by a moment."""
        return frozenset(each.agency for each in self.case.referrals.values() if each.asked_at <= at)

    def _query(
        self, city: RoutingCity, need: Need, at: datetime, holders: Iterable[str], consents: Sequence[Consent]
    ) -> PlacementQuery:
        return city.query(self.case.report, need.need, CaseSnapshot(at, tuple(consents), frozenset(holders)))


class PlacementDifference(NamedTuple):
    """Another program would have been asked for help with a need; None is no program: a person would have chosen."""

    need: Need
    before: str | None
    after: str | None
    why: str


class DisclosureDifference(NamedTuple):
    """An agency would have received more or less for a need."""

    need: Need
    agency: str
    added: GroupsByForm
    removed: GroupsByForm


Difference = PlacementDifference | DisclosureDifference


@dataclass(frozen=True, slots=True)
class CityComparison:
    """The city as it is, and the city under changed agreements or rules."""

    before: RoutingCity
    after: RoutingCity

    def differences(self, past: PastCase) -> Iterator[Difference]:
        """Yield what would have differed in a case: first as it was routed, then for referrals that were made later."""
        before, after = _route(past, self.before), _route(past, self.after)
        for need in past.case.report.needs:
            yield from _compare(need, before[need.need_id], after[need.need_id])
        compared = {(need_id, outcome.agency) for need_id, outcome in before.items() if outcome.agency}
        for referral in past.case.referrals.values():
            if (referral.need_id, referral.agency) not in compared:
                compared.add((referral.need_id, referral.agency))
                need, at = past.case.need(referral.need_id), referral.asked_at
                released = (
                    _released(city, referral.agency, past.query(city, need, at, past.holders(at)))
                    for city in (self.before, self.after)
                )
                yield from _compare_groups(need, referral.agency, *released)


class _Outcome(NamedTuple):
    """The program that is asked for help with a need, its agency, and what that agency may receive."""

    program: str | None
    agency: str | None
    why: str
    released: GroupsByForm


def consents_as_known(consents: Iterable[Consent], at: datetime) -> tuple[Consent, ...]:
    """Return the consents as they were at a moment: one that was withdrawn later still held."""
    return tuple(replace(each, withdrawn_at=None) if _was_withdrawn_later(each, at) else each for each in consents)


def start_early(
    agreements: Iterable[Agreement], known: Iterable[Agreement], since: datetime
) -> tuple[tuple[Agreement, ...], tuple[Agreement, ...]]:
    """Let new and changed agreements begin by a moment in the past: else they would change nothing in past cases.

    Returns all agreements, and those whose beginning was moved.
    """
    unchanged, day = set(map(Agreement.model_dump_json, known)), since.astimezone(UTC).date()
    moved = tuple(
        each for each in agreements if each.model_dump_json() not in unchanged and day < each.starts <= each.ends
    )
    moved_ids = {each.id for each in moved}
    return (
        tuple(each.model_copy(update={"starts": day}) if each.id in moved_ids else each for each in agreements),
        moved,
    )


def _was_withdrawn_later(consent: Consent, at: datetime) -> bool:
    return consent.withdrawn_at is not None and consent.withdrawn_at > at


def _route(past: PastCase, city: RoutingCity) -> Mapping[UUID, _Outcome]:
    """Route a case as routing does: place need after need, and then decide what each agency receives."""
    holders: set[str] = set()
    placed = {}
    for need in past.case.report.needs:
        placed[need.need_id] = outcome = place(past.query(city, need, past.routed_at, holders), city)
        holders |= {outcome.program.agency} if isinstance(outcome, Placed) else set()
    outcomes = {}
    for need in past.case.report.needs:
        outcome = placed[need.need_id]
        if isinstance(outcome, Placed):
            agency, query = outcome.program.agency, past.query(city, need, past.routed_at, holders)
            outcomes[need.need_id] = _Outcome(outcome.program.name, agency, outcome.why, _released(city, agency, query))
        else:
            outcomes[need.need_id] = _Outcome(None, None, outcome.why, NOTHING)
    return outcomes


def _released(city: RoutingCity, agency: str, query: PlacementQuery) -> GroupsByForm:
    plan = city.plan(agency, query)
    return plan.forms if plan.entitled else NOTHING


def _compare(need: Need, before: _Outcome, after: _Outcome) -> Iterator[Difference]:
    if before.program != after.program:
        yield PlacementDifference(need, before.program, after.program, after.why)
    for agency in dict.fromkeys(each.agency for each in (before, after) if each.agency):
        released = (each.released if each.agency == agency else NOTHING for each in (before, after))
        yield from _compare_groups(need, agency, *released)


def _compare_groups(
    need: Need, agency: str, before: GroupsByForm, after: GroupsByForm
) -> Iterator[DisclosureDifference]:
    added, removed = _without(after, before), _without(before, after)
    if added or removed:
        yield DisclosureDifference(need, agency, added, removed)


def _without(one: GroupsByForm, other: GroupsByForm) -> GroupsByForm:
    """Return the groups of `one` that `other` does not have in the same form."""
    more = {form: groups - other.get(form, frozenset()) for form, groups in one.items()}
    return {form: groups for form, groups in more.items() if groups}
