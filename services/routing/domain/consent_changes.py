"""A consent is given, taken back, or runs out: agencies are given more, or are told not to use what they were given."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Literal, NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause, DecisionContext
from services.routing.domain.disclosure import give_more, give_request, plan_of
from services.routing.domain.placement import Placed, place
from services.routing.domain.referral import Referral
from services.routing.domain.referrals import cancel, request, request_or_queue
from shared.events import agency_inbox, disclosures
from shared.events.fields import FieldGroup
from shared.events.reasons import Reason
from shared.policy.plan import ReleasePlan

RevocationCause = Literal["consent-withdrawn", "consent-expired"]


class ConsentUse(NamedTuple):
    """One disclosure that needed a consent for some groups; `delivered` tells whether it ever left the house."""

    receipt_id: UUID
    referral_id: UUID
    agency: str
    groups: tuple[FieldGroup, ...]
    delivered: bool


class RevokedConsent(NamedTuple):
    """A consent that counts no more, why, and what was given under it and has not been recalled."""

    consent_id: UUID
    why: RevocationCause
    uses: tuple[ConsentUse, ...]


class GrantedConsent(NamedTuple):
    """A consent that counts now, and the referrals for which it has been counted on already."""

    consent_id: UUID
    used_for: frozenset[UUID]


def extend_disclosure(case: CaseState, granted: GrantedConsent, prompt: Cause, around: DecisionContext) -> CaseDecision:
    """Ask whoever may be asked now, and give more to those who may have more than without this consent."""
    turn = CaseDecision.on(case, around, prompt)
    if case.resolution is not None or turn.is_silent:
        return turn
    for referral in case.open_referrals():
        if referral.referral_id in granted.used_for:
            continue
        plan = plan_of(turn, referral)
        if _gives_more(plan, plan_of(_without(turn, granted.consent_id), referral)):
            give_more(turn, referral, plan)
    _place_what_rests(turn)
    return turn


def recall(case: CaseState, fallen: RevokedConsent, prompt: Cause, around: DecisionContext) -> CaseDecision:
    """Recall what was given under a consent, and end or repeat the requests that stood on it.

    An agency that was never told of a referral is told neither of the recall nor of its end; the other services are,
    since they have heard of the disclosure.
    """
    turn = CaseDecision.on(case, around, prompt)
    turn.recalled.append(fallen.consent_id)
    for referral_id, uses in _by_referral(fallen.uses).items():
        _recall(turn, referral_id, fallen, uses)
    unheard = {use.referral_id for use in fallen.uses if not use.delivered}
    unheard -= {use.referral_id for use in fallen.uses if use.delivered}
    for referral in case.open_referrals() if case.resolution is None else ():
        _go_on_without(turn, referral, unheard)
    return turn


def erase(
    case: CaseState, agencies: Collection[tuple[UUID, str]], prompt: Cause, around: DecisionContext
) -> CaseDecision:
    """Tell every agency that was given something of the case to delete it; drop what cannot be opened any more."""
    turn = CaseDecision.on(case, around, prompt)
    for referral_id, agency in sorted(agencies):
        event = agency_inbox.PersonErased(case_id=turn.report.case_id, referral_id=referral_id, sent_at=turn.around.now)
        turn.tell(agency, event)
    turn.case.report = case.report.model_copy(update={"sealed": {}})
    turn.case.text = turn.case.report.model_dump_json()
    return turn


def _gives_more(now: ReleasePlan, before: ReleasePlan) -> bool:
    return any(groups - before.groups_in(form) for form, groups in now.forms.items())


def _without(turn: CaseDecision, consent_id: UUID) -> CaseDecision:
    """Return the same turn in a world where one consent was never given."""
    case_id = turn.report.case_id
    left = [consent for consent in turn.around.consents.get(case_id, ()) if consent.consent_id != consent_id]
    return CaseDecision(turn.case, replace(turn.around, consents={case_id: left}), turn.prompt)


def _place_what_rests(turn: CaseDecision) -> None:
    """Place the needs that wait for a person or for a consent, where that can be done now."""
    waiting = [(need_id, each) for need_id, each in turn.case.waiting.items() if each.ended_by is None]
    for need_id, each in waiting:
        chosen = place(turn.asking(each.need), turn.around.city, _tried(turn, need_id))
        if isinstance(chosen, Placed):
            turn.case.waiting[need_id] = replace(each, ended_by="consent", assigned_to=chosen.program.name)
            request(turn, each.need, chosen)
    for need in turn.case.resting():
        request_or_queue(turn, need, place(turn.asking(need), turn.around.city, _tried(turn, need.need_id)))


def _tried(turn: CaseDecision, need_id: UUID) -> set[str]:
    """Return the programs that need not be asked again: not those that only a consent was missing for."""
    return {each.program_name for each in turn.case.tries(need_id) if each.reason is not Reason.WITHDRAWN}


def _recall(turn: CaseDecision, referral_id: UUID, fallen: RevokedConsent, uses: list[ConsentUse]) -> None:
    groups = {group for use in uses for group in use.groups}
    told = {
        "case_id": turn.report.case_id,
        "referral_id": referral_id,
        "groups": tuple([group for group in FieldGroup if group in groups]),
        "receipts": tuple(use.receipt_id for use in uses),
        "consent_id": fallen.consent_id,
        "why": fallen.why,
    }
    agency, now = uses[0].agency, turn.around.now
    delivered = tuple(use.receipt_id for use in uses if use.delivered)
    if delivered:
        turn.tell(agency, agency_inbox.DisclosureRecalled(**{**told, "receipts": delivered}, sent_at=now))
    turn.say(disclosures.DisclosureRecalled(**told, agency=agency, occurred_at=now))


def _go_on_without(turn: CaseDecision, referral: Referral, unheard: Collection[UUID]) -> None:
    """End a referral whose agency may not know of it any more, or repeat a request that was withheld."""
    is_entitled = plan_of(turn, referral).entitled
    if is_entitled and referral.referral_id in unheard:
        give_request(turn, referral)
    if is_entitled:
        return
    cancel(turn, referral, Reason.WITHDRAWN, turn.around.now, quietly=referral.referral_id in unheard)
    need = turn.case.need(referral.need_id)
    tried = {other.program_name for other in turn.case.tries(need.need_id)}
    request_or_queue(turn, need, place(turn.asking(need), turn.around.city, tried))


def _by_referral(uses: Iterable[ConsentUse]) -> dict[UUID, list[ConsentUse]]:
    found: dict[UUID, list[ConsentUse]] = {}
    for use in uses:
        found.setdefault(use.referral_id, []).append(use)
    return found
