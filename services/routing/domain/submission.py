"""The events of a case from intake: a submitted case is routed, a withdrawn one ends, consents change disclosures."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.routing.domain.case import CaseState, Resolution
from services.routing.domain.consent_changes import (
    ConsentUse,
    GrantedConsent,
    RevokedConsent,
    erase,
    extend_disclosure,
    recall,
)
from services.routing.domain.decision import (
    CaseClosure,
    CaseDecision,
    Cause,
    DecisionBuilder,
    DecisionContext,
    Disclosure,
    HistoryEntry,
    OutgoingEvent,
    ReferralChange,
    Step,
    TriageChange,
    emit,
    referral_facts,
)
from services.routing.domain.disclosure import disclose_request, plan_disclosure
from services.routing.domain.placement import Unplaced, place
from services.routing.domain.referral import Referral, State, Transition
from services.routing.domain.referrals import (
    cancel_referral,
    close_if_ended,
    create_referral,
    denials_of,
    queue_for_triage,
)
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


class UnknownCaseError(Exception):
    """An event is about a case that was never submitted."""


@dataclass(frozen=True, slots=True)
class PriorDisclosures:
    """What was disclosed before, as far as the events of one batch depend on it."""

    uses: Mapping[UUID, tuple[ConsentUse, ...]]
    """By consent: the disclosures that depend on it and have not been recalled."""
    recipients: Mapping[UUID, Iterable[tuple[UUID, str]]]
    """By case: the referrals and agencies that received something."""
    in_batch: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    """By consent: the referrals of disclosures that earlier events of the same batch led to."""

    def record(self, disclosures: Iterable[Disclosure]) -> None:
        """Remember what an event of the batch has led to: the database does not have it yet."""
        for disclosure in disclosures:
            for consent_id in disclosure.consents:
                if disclosure.receipt.referral_id is not None:
                    self.in_batch[consent_id].add(disclosure.receipt.referral_id)

    def referrals_using(self, consent_id: UUID) -> frozenset[UUID]:
        """Return the referrals for which something was disclosed under a consent."""
        before = {use.referral_id for use in self.uses.get(consent_id, ())}
        return frozenset(before | self.in_batch[consent_id])


def decide(
    case: CaseState | None, event: Event, cause: Cause, context: DecisionContext, prior: PriorDisclosures
) -> CaseDecision | None:
    """Decide what follows from one event; None if nothing does.

    Raises:
        UnknownCaseError: the event needs a case that was never submitted.
    """
    if isinstance(event, CaseSubmitted):
        return route(event, cause, context) if case is None else None
    if case is None:
        raise UnknownCaseError(f"case {event.case_id} was never submitted: {event.type}")
    match event:
        case CaseWithdrawn():
            return withdraw(case, event, cause, context)
        case ConsentGranted(consent_id=consent_id):
            return extend_disclosure(
                case, GrantedConsent(consent_id, prior.referrals_using(consent_id)), cause, context
            )
        case ConsentWithdrawn(consent_id=consent_id):
            revoked = RevokedConsent(consent_id, "consent-withdrawn", prior.uses.get(consent_id, ()))
            return recall(case, revoked, cause, context)
        case PersonErased():
            return erase(case, tuple(prior.recipients.get(event.case_id, ())), cause, context)
        case _:
            return None


def route(report: CaseSubmitted, cause: Cause, context: DecisionContext) -> CaseDecision:
    """Request help with each need, or queue it for triage; record what another system has already done.

    All needs are placed before anything is disclosed, so that what an agency receives does not depend on their order.
    """
    decision = DecisionBuilder(CaseState(report, cause.text), cause, context)
    records = {record.need_id: record for record in report.recorded}
    for need in report.needs:
        decision.add(*_route_need(decision.case, need, records.get(need.need_id), context))
    if context.is_suppressed(report):
        return decision.build()
    case = decision.case
    for referral in case.referrals.values():
        decision.add(disclose_request(plan_disclosure(case, referral, context), cause))
    decision.add(_case_routed(case, context))
    ends = _recorded_ends(case, records)
    if ends:
        decision.add(*ends)
        last = max(end.referral.changed_at for end in ends)
        decision.add(*close_if_ended(decision.case, last, record_only=True))
    return decision.build()


def withdraw(case: CaseState, event: CaseWithdrawn, cause: Cause, context: DecisionContext) -> CaseDecision:
    """Cancel every open referral and end the case, because the person who reported it has withdrawn it."""
    decision = DecisionBuilder(case, cause, context)
    if case.resolution is not None:
        return decision.build()
    at = event.withdrawn_at
    for referral in case.open_referrals():
        decision.add(cancel_referral(case, referral, Reason.WITHDRAWN, at, context))
    for entry in case.triage.values():
        if entry.is_open:
            decision.add(TriageChange(replace(entry, ended_by=cause.by)))
    decision.add(CaseClosure(Resolution.WITHDRAWN, at, _withdrawn(case, event, context)))
    return decision.build()


def _withdrawn(case: CaseState, event: CaseWithdrawn, context: DecisionContext) -> tuple[OutgoingEvent, ...]:
    if context.is_suppressed(case.report):
        return ()
    resolved = CaseResolved(
        case_id=event.case_id,
        resolution="withdrawn",
        submitted_at=case.report.submitted_at,
        resolved_at=event.withdrawn_at,
    )
    return (emit(resolved),)


def _route_need(case: CaseState, need: Need, record: RecordedReferral | None, context: DecisionContext) -> list[Step]:
    outcome = place(context.query(case, need), context.city)
    if isinstance(outcome, Unplaced):
        return queue_for_triage(case, need, outcome, context)
    return [*denials_of(need, outcome.denied), create_referral(case, need, outcome, context, record)]


def _case_routed(case: CaseState, context: DecisionContext) -> OutgoingEvent:
    """Tell where the needs went.

    A case whose needs were all opened in another system was routed when the last of them was opened there.
    """
    report, referrals = case.report, case.referrals.values()
    is_recorded = len(report.recorded) == len(report.needs) and not case.triage
    is_over = bool(referrals) and not case.triage and all(referral.record_only for referral in referrals)
    routed = construct(
        CaseRouted,
        case_id=report.case_id,
        routed=tuple([_routed_need(referral) for referral in referrals]),
        unrouted=tuple(case.triage),
        submitted_at=report.submitted_at,
        routed_at=max(referral.changed_at for referral in referrals) if is_recorded else context.now,
        record_only=is_over,
    )
    return emit(routed)


def _routed_need(referral: Referral) -> RoutedNeed:
    return construct(
        RoutedNeed,
        need_id=referral.need_id,
        need=referral.need,
        referral_id=referral.referral_id,
        agency=referral.agency,
        program=referral.program,
    )


def _recorded_ends(case: CaseState, records: Mapping[UUID, RecordedReferral]) -> list[ReferralChange]:
    """Return the ends of the referrals that another system has closed, each at its own times."""
    return [
        _recorded_end(case, referral, record.answered_at or record.closed_at, record.closed_at)
        for referral in case.referrals.values()
        if (record := records.get(referral.need_id)) is not None and record.closed_at is not None
    ]


def _recorded_end(case: CaseState, referral: Referral, answered_at: datetime, closed_at: datetime) -> ReferralChange:
    ended = referral._replace(
        state=State.COMPLETED, last_change=Transition.COMPLETED, changed_at=closed_at, changes=3, due_at=None
    )
    history = (
        HistoryEntry(ended.referral_id, 2, Transition.ACCEPTED, answered_at),
        HistoryEntry(ended.referral_id, 3, Transition.COMPLETED, closed_at),
    )
    events = (
        emit(ReferralAccepted(**referral_facts(case, ended, answered_at))),
        emit(ReferralCompleted(**referral_facts(case, ended, closed_at))),
    )
    return ReferralChange(ended, history, events)
