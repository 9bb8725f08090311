"""A report comes in: every need of it is placed, or given to a person."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.routing.domain.case import CaseState, Resolution, TriageEntry
from services.routing.domain.consent_changes import (
    ConsentUse,
    GrantedConsent,
    RevokedConsent,
    erase,
    extend_disclosure,
    recall,
)
from services.routing.domain.decision import (
    CaseDecision,
    Cause,
    DecisionContext,
    Disclosure,
    HistoryEntry,
    add_to_triage,
    facts,
    resolve_if_ended,
)
from services.routing.domain.disclosure import give_request
from services.routing.domain.placement import Unplaced, place
from services.routing.domain.referral import Referral, State, Transition
from services.routing.domain.referrals import cancel, create_referral
from shared.events.event import Event, construct
from shared.events.intake import (
    CaseSubmitted,
    CaseWithdrawn,
    ConsentGranted,
    ConsentWithdrawn,
    Need,
    PersonErased,
    RecordedReferral,
)
from shared.events.reasons import Reason
from shared.events.referrals import ReferralAccepted, ReferralCompleted
from shared.events.routing import CaseResolved, CaseRouted, RoutedNeed


def route(report: CaseSubmitted, prompt: Cause, around: DecisionContext) -> CaseDecision:
    """Ask for help with each need; what another system has already done is recorded.

    All needs are placed before anything is given, so that what an agency is given does not depend on their order.
    """
    turn = CaseDecision(CaseState(report, prompt.text), around, prompt)
    records = {record.need_id: record for record in report.recorded}
    for need in report.needs:
        _route_need(turn, need, records.get(need.need_id))
    if turn.is_silent:
        return turn
    for made in turn.case.referrals.values():
        give_request(turn, made)
    over = bool(turn.case.referrals) and all(made.record_only for made in turn.case.referrals.values())
    over = over and not turn.case.waiting
    turn.say(_case_routed(turn, record_only=over))
    _record_the_rest(turn, records)
    return turn


def withdraw(case: CaseState, event: CaseWithdrawn, prompt: Cause, around: DecisionContext) -> CaseDecision:
    """Take every open referral back: whoever reported wants nothing further to be done."""
    turn = CaseDecision.on(case, around, prompt)
    if case.resolution is not None:
        return turn
    for referral in case.open_referrals():
        cancel(turn, referral, Reason.WITHDRAWN, event.withdrawn_at)
    for need_id, waiting in case.waiting.items():
        turn.case.waiting[need_id] = _taken_back(waiting, prompt.by)
    turn.case.resolution, turn.case.resolved_at = Resolution.WITHDRAWN, event.withdrawn_at
    if turn.is_silent:
        return turn
    turn.say(
        CaseResolved(
            case_id=event.case_id,
            resolution="withdrawn",
            submitted_at=case.report.submitted_at,
            resolved_at=event.withdrawn_at,
        )
    )
    return turn


def _route_need(turn: CaseDecision, need: Need, record: RecordedReferral | None) -> None:
    chosen = place(turn.asking(need), turn.around.city)
    if isinstance(chosen, Unplaced):
        add_to_triage(turn, need, chosen)
    else:
        create_referral(turn, need, chosen, record)


def _case_routed(turn: CaseDecision, *, record_only: bool) -> CaseRouted:
    """Say where the needs went; a case whose needs another system had opened was routed when the last of them was."""
    report, made = turn.report, turn.case.referrals.values()
    recorded = len(report.recorded) == len(report.needs) and not turn.case.waiting
    return construct(
        CaseRouted,
        case_id=report.case_id,
        routed=tuple([_routed_need(referral) for referral in made]),
        unrouted=tuple(turn.case.waiting),
        submitted_at=report.submitted_at,
        routed_at=max(referral.changed_at for referral in made) if recorded else turn.around.now,
        record_only=record_only,
    )


def _routed_need(referral: Referral) -> RoutedNeed:
    return construct(
        RoutedNeed,
        need_id=referral.need_id,
        need=referral.need,
        referral_id=referral.referral_id,
        agency=referral.agency,
        program=referral.program,
    )


def _record_the_rest(turn: CaseDecision, records: dict[UUID, RecordedReferral]) -> None:
    """Add what is on record about each closed need, at its own times, and end the case if all are closed."""
    closed: list[datetime] = []
    for referral in [made for made in turn.case.referrals.values() if made.record_only]:
        record = records[referral.need_id]
        if record.closed_at is not None:
            _record_end(turn, referral, record.answered_at or record.closed_at, record.closed_at)
            closed.append(record.closed_at)
    if closed:
        resolve_if_ended(turn, max(closed), record_only=True)


def _record_end(turn: CaseDecision, referral: Referral, answered_at: datetime, closed_at: datetime) -> None:
    over = referral._replace(
        state=State.COMPLETED, last_change=Transition.COMPLETED, changed_at=closed_at, changes=3, due_at=None
    )
    turn.keep(over)
    turn.note(HistoryEntry(over, 2, Transition.ACCEPTED, answered_at))
    turn.note(HistoryEntry(over, 3, Transition.COMPLETED, closed_at))
    turn.say(ReferralAccepted(**facts(turn, over, answered_at)))
    turn.say(ReferralCompleted(**facts(turn, over, closed_at)))


def _taken_back(waiting: TriageEntry, by: str) -> TriageEntry:
    return waiting if waiting.ended_by else replace(waiting, ended_by=by)


class UnknownCaseError(Exception):
    """Something is said of a case that was never submitted."""


@dataclass(frozen=True, slots=True)
class PriorDisclosures:
    """What has been shared so far, as far as the events of one batch ask for it.

    `uses` are by consent, `recipients` (referral and agency) by case.
    """

    uses: Mapping[UUID, tuple[ConsentUse, ...]]
    recipients: Mapping[UUID, Iterable[tuple[UUID, str]]]
    noted: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    def note(self, given: Iterable[Disclosure]) -> None:
        """Note what an earlier event of the batch has led to."""
        for each in given:
            for consent_id in each.consents:
                if each.receipt.referral_id is not None:
                    self.noted[consent_id].add(each.receipt.referral_id)

    def used_for(self, consent_id: UUID) -> frozenset[UUID]:
        """Return the referrals for which a consent has been counted on."""
        before = {use.referral_id for use in self.uses.get(consent_id, ())}
        return frozenset(before | self.noted[consent_id])


def decide(
    case: CaseState | None, event: Event, prompt: Cause, around: DecisionContext, shared: PriorDisclosures
) -> CaseDecision | None:
    """Decide what follows from one event; None for one that changes nothing.

    Raises:
        UnknownCaseError: the event needs a case that was never submitted.
    """
    if isinstance(event, CaseSubmitted):
        return route(event, prompt, around) if case is None else None
    if case is None:
        raise UnknownCaseError(f"case {event.case_id} was never submitted: {event.type}")
    match event:
        case CaseWithdrawn():
            return withdraw(case, event, prompt, around)
        case ConsentGranted(consent_id=consent_id):
            return extend_disclosure(case, GrantedConsent(consent_id, shared.used_for(consent_id)), prompt, around)
        case ConsentWithdrawn(consent_id=consent_id):
            fallen = RevokedConsent(consent_id, "consent-withdrawn", shared.uses.get(consent_id, ()))
            return recall(case, fallen, prompt, around)
        case PersonErased():
            return erase(case, tuple(shared.recipients.get(event.case_id, ())), prompt, around)
        case _:
            return None
