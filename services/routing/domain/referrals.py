"""The steps with referrals: ask a program for help, queue a need for a person to decide, cancel, end the case."""

from datetime import datetime

from services.routing.domain.case import CaseState, TriageEntry
from services.routing.domain.decision import (
    CaseClosure,
    Cause,
    DecisionContext,
    DeniedDisclosure,
    HistoryEntry,
    ReferralChange,
    Step,
    TriageChange,
    emit,
    notify_agency,
    referral_facts,
)
from services.routing.domain.disclosure import disclose_request, plan_disclosure
from services.routing.domain.placement import Denials, Placed, Unplaced
from services.routing.domain.referral import Referral, State, Transition
from shared.events import agency_inbox
from shared.events.event import construct
from shared.events.intake import Need, RecordedReferral
from shared.events.reasons import Reason
from shared.events.referrals import ReferralCancelled, ReferralRequested
from shared.events.routing import CaseResolved, CaseUnroutable
from shared.events.wire import fast_uuid5


def request_help(case: CaseState, need: Need, placed: Placed, context: DecisionContext, cause: Cause) -> list[Step]:
    """Ask a program to help with a need, and disclose to its agency what the agreements allow."""
    change = create_referral(case, need, placed, context)
    # The new referral is not in `case` yet, and need not be: what an agency holds itself never affects its own plan.
    planned = plan_disclosure(case, change.referral, context)
    return [*denials_of(need, placed.denied), change, disclose_request(planned, cause)]


def request_or_queue(
    case: CaseState, need: Need, outcome: Placed | Unplaced, context: DecisionContext, cause: Cause
) -> list[Step]:
    """Ask the program that was chosen; when none was, queue the need for a person to decide."""
    if isinstance(outcome, Placed):
        return request_help(case, need, outcome, context, cause)
    return queue_for_triage(case, need, outcome, context)


def create_referral(
    case: CaseState,
    need: Need,
    placed: Placed,
    context: DecisionContext,
    record: RecordedReferral | None = None,
) -> ReferralChange:
    """Create a referral to a program, and tell the other services; the agency is asked by a disclosure of its own.

    With a `record` of the need from another system, the referral was requested when the record was opened. A referral
    that the other system has closed is only recorded: no agency has to answer it.
    """
    referral = _new_referral(case, need, placed, context, record)
    requested = construct(
        ReferralRequested,
        **referral_facts(case, referral, referral.changed_at),
        answer_by=referral.answer_by,
        attempt=referral.attempt,
    )
    entry = HistoryEntry(referral.referral_id, 1, Transition.REQUESTED, referral.changed_at, why=placed.why)
    return ReferralChange(referral, (entry,), (emit(requested),))


def queue_for_triage(case: CaseState, need: Need, unplaced: Unplaced, context: DecisionContext) -> list[Step]:
    """Queue a need for a person to decide; a need of a suppressed case is not queued until the person consents."""
    denials = denials_of(need, unplaced.denied)
    if context.is_suppressed(case.report):
        return [*denials]
    unroutable = CaseUnroutable(
        case_id=case.report.case_id,
        need_id=need.need_id,
        need=need.need,
        reason=unplaced.reason,
        submitted_at=case.report.submitted_at,
        unroutable_at=context.now,
    )
    entry = TriageEntry(need, context.now, unplaced.reason, unplaced.why)
    return [*denials, TriageChange(entry, (emit(unroutable),))]


def cancel_referral(
    case: CaseState, referral: Referral, reason: Reason, at: datetime, context: DecisionContext
) -> ReferralChange:
    """Cancel a referral, and notify the other services and the referral's agency."""
    change = cancel_unannounced(case, referral, reason, at)
    cancelled = agency_inbox.ReferralCancelled(
        case_id=case.report.case_id, referral_id=referral.referral_id, sent_at=context.now, reason=reason
    )
    return change._replace(events=(*change.events, notify_agency(referral.agency, cancelled)))


def cancel_unannounced(case: CaseState, referral: Referral, reason: Reason, at: datetime) -> ReferralChange:
    """Cancel a referral that its agency was never told of, and notify the other services only."""
    number = referral.changes + 1
    cancelled = referral._replace(
        state=State.CANCELLED,
        last_change=Transition.CANCELLED,
        reason=reason,
        changed_at=at,
        due_at=None,
        changes=number,
    )
    event = ReferralCancelled(**referral_facts(case, cancelled, at), reason=reason)
    entry = HistoryEntry(referral.referral_id, number, Transition.CANCELLED, at, reason)
    return ReferralChange(cancelled, (entry,), (emit(event),))


def close_if_ended(case: CaseState, at: datetime, *, record_only: bool = False) -> list[CaseClosure]:
    """Return the end of the case when nothing is left to do, else nothing; `at` is when its last need ended."""
    if case.resolution is not None or not case.has_ended():
        return []
    resolution = case.outcome()
    resolved = CaseResolved(
        case_id=case.report.case_id,
        resolution=resolution.value,
        submitted_at=case.report.submitted_at,
        resolved_at=at,
        record_only=record_only,
    )
    return [CaseClosure(resolution, at, (emit(resolved),))]


def denials_of(need: Need, denied: Denials) -> list[DeniedDisclosure]:
    """Return the denials of one placement, to be recorded."""
    return [DeniedDisclosure(need.need_id, agency, policies) for agency, policies in denied.items()]


def _new_referral(
    case: CaseState, need: Need, placed: Placed, context: DecisionContext, record: RecordedReferral | None
) -> Referral:
    program, now = placed.program, context.now
    attempt = len(case.referrals_of(need.need_id)) + 1
    is_over = record is not None and record.closed_at is not None
    answer_by = None if is_over else now + program.answer_within
    return Referral(
        # Derived, so that a decision that is made twice creates the same referral.
        referral_id=fast_uuid5(need.need_id, f"{program.name}|{attempt}"),
        need_id=need.need_id,
        need=need.need,
        agency=program.agency,
        program=program.id,
        attempt=attempt,
        asked_at=now,
        changed_at=record.opened_at if record else now,
        answer_by=answer_by,
        due_at=answer_by,
        record_only=is_over,
    )
