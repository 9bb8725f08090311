"""What would have been different in a past case, had other agreements or another routing book been in force."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.placement import CaseSnapshot, Placed, PlacementQuery, RoutingCity, place
from shared.events.fields import FieldGroup
from shared.events.intake import Need
from shared.policy.agreements import Agreement, Form
from shared.policy.consent import Consent


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case, when it was routed, and every consent that was ever given in it."""

    case: CaseState
    routed_at: datetime
    consents: tuple[Consent, ...] = ()

    def asking(self, city: RoutingCity, need: Need, at: datetime, holders: Iterable[str]) -> PlacementQuery:
        """Return what the routing book and the policy were asked about a need at a moment before."""
        return self._ask(city, need, at, holders, consents_as_known(self.consents, at))

    def asking_now(self, city: RoutingCity, need: Need, now: datetime) -> PlacementQuery:
        """Return what they are asked at present."""
        return self._ask(city, need, now, self.holders(now), self.consents)

    def holders(self, at: datetime) -> frozenset[str]:
        """Return the agencies that had been asked for help by a moment."""
        return frozenset(each.agency for each in self.case.referrals.values() if each.asked_at <= at)

    def _ask(
        self, city: RoutingCity, need: Need, at: datetime, holders: Iterable[str], consents: Sequence[Consent]
    ) -> PlacementQuery:
        return city.asking(self.case.report, need.need, CaseSnapshot(at, tuple(consents), frozenset(holders)))


def consents_as_known(consents: Iterable[Consent], at: datetime) -> tuple[Consent, ...]:
    """Return the consents as they stood at a moment: one that was withdrawn later counted then."""
    return tuple(replace(each, withdrawn_at=None) if _fell_later(each, at) else each for each in consents)


def _fell_later(consent: Consent, at: datetime) -> bool:
    return consent.withdrawn_at is not None and consent.withdrawn_at > at


GroupsByForm = Mapping[Form, frozenset[FieldGroup]]
NOTHING: GroupsByForm = {}


class PlacementDifference(NamedTuple):
    """Another program would have been asked for help with a need; None is nobody: a person would have had to choose."""

    need: Need
    before: str | None
    after: str | None
    why: str


class DisclosureDifference(NamedTuple):
    """An agency would have been given more or less for a need, by form."""

    need: Need
    agency: str
    added: GroupsByForm
    removed: GroupsByForm


@dataclass(frozen=True, slots=True)
class CityComparison:
    """The city as it is, and as it would be."""

    before: RoutingCity
    after: RoutingCity

    def differences(self, past: PastCase) -> Iterator[PlacementDifference | DisclosureDifference]:
        """Go through what would have been different: first when it was routed, then whoever was asked later."""
        before, after = _outline(past, self.before), _outline(past, self.after)
        for need in past.case.report.needs:
            yield from _differ(need, before[need.need_id], after[need.need_id])
        seen = {(need_id, each.agency) for need_id, each in before.items() if each.agency}
        for referral in past.case.referrals.values():
            if (referral.need_id, referral.agency) not in seen:
                seen.add((referral.need_id, referral.agency))
                need, at = past.case.need(referral.need_id), referral.asked_at
                told = (_told(past, city, need, referral.agency, at) for city in (self.before, self.after))
                yield from _compare(need, referral.agency, *told)


class _Outcome(NamedTuple):
    """Who is asked for help with a need, and what it is told."""

    program: str | None
    agency: str | None
    why: str
    told: GroupsByForm


def _outline(past: PastCase, city: RoutingCity) -> Mapping[UUID, _Outcome]:
    """Route a case anew, in the order in which it was: need by need, and then what each agency is given."""
    holders: set[str] = set()
    chosen = {}
    for need in past.case.report.needs:
        chosen[need.need_id] = found = place(past.asking(city, need, past.routed_at, holders), city)
        holders |= {found.program.agency} if isinstance(found, Placed) else set()
    outline = {}
    for need in past.case.report.needs:
        found, asking = chosen[need.need_id], past.asking(city, need, past.routed_at, holders)
        outline[need.need_id] = (
            _Outcome(found.program.name, found.program.agency, found.why, _given(city, found.program.agency, asking))
            if isinstance(found, Placed)
            else _Outcome(None, None, found.why, NOTHING)
        )
    return outline


def _told(past: PastCase, city: RoutingCity, need: Need, agency: str, at: datetime) -> GroupsByForm:
    return _given(city, agency, past.asking(city, need, at, past.holders(at)))


def _given(city: RoutingCity, agency: str, asking: PlacementQuery) -> GroupsByForm:
    plan = city.plan(agency, asking)
    return plan.forms if plan.entitled else NOTHING


def _differ(need: Need, before: _Outcome, after: _Outcome) -> Iterator[PlacementDifference | DisclosureDifference]:
    if before.program != after.program:
        yield PlacementDifference(need, before.program, after.program, after.why)
    for agency in dict.fromkeys(each.agency for each in (before, after) if each.agency):
        told = (each.told if each.agency == agency else NOTHING for each in (before, after))
        yield from _compare(need, agency, *told)


def _compare(need: Need, agency: str, before: GroupsByForm, after: GroupsByForm) -> Iterator[DisclosureDifference]:
    added, removed = _more(after, before), _more(before, after)
    if added or removed:
        yield DisclosureDifference(need, agency, added, removed)


def _more(one: GroupsByForm, other: GroupsByForm) -> GroupsByForm:
    more = {form: groups - other.get(form, frozenset()) for form, groups in one.items()}
    return {form: groups for form, groups in more.items() if groups}


def start_early(
    agreements: Iterable[Agreement], known: Iterable[Agreement], since: datetime
) -> tuple[tuple[Agreement, ...], tuple[Agreement, ...]]:
    """Let agreements that are new or changed hold since a moment, so that it shows what they will do.

    Returns all of them, and those whose beginning was moved.
    """
    unchanged, day = set(map(Agreement.model_dump_json, known)), since.astimezone(UTC).date()
    moved = tuple(
        each for each in agreements if each.model_dump_json() not in unchanged and day < each.starts <= each.ends
    )
    early = {each.id for each in moved}
    return tuple(each.model_copy(update={"starts": day}) if each.id in early else each for each in agreements), moved
