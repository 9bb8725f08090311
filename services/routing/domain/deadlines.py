"""A referral that is not answered in time: its agency is reminded, then escalated, then the fallback is asked."""

from typing import Final
from uuid import UUID, uuid5

from services.routing.domain.case import CaseState
from services.routing.domain.decision import (
    CaseDecision,
    Cause,
    DecisionBuilder,
    DecisionContext,
    HistoryEntry,
    ReferralChange,
    Step,
    emit,
    notify_agency,
    referral_facts,
)
from services.routing.domain.placement import place_fallback
from services.routing.domain.referral import Referral, Transition
from services.routing.domain.referrals import cancel_referral, request_or_queue
from shared.events import agency_inbox
from shared.events.reasons import Reason
from shared.events.referrals import ReferralEscalated, ReferralOverdue

REMINDERS: Final = (Transition.OVERDUE, Transition.ESCALATED)
"""The reminders, in the order in which they are sent; after them the referral is cancelled."""


def list_due(case: CaseState, context: DecisionContext) -> list[UUID]:
    """Return the referrals of a case whose deadline has passed."""
    return [r.referral_id for r in case.open_referrals() if r.due_at is not None and r.due_at <= context.now]


def handle_overdue(case: CaseState, referral_id: UUID, context: DecisionContext) -> CaseDecision:
    """Take the next step with a referral that its agency has not answered in time.

    Overdue, then escalated, then cancelled and the rule's fallback is asked: each step one answer period after the one
    before. The cause of each step has an id derived from the referral and the number of reminders, so that a step that
    is taken twice publishes the same events.
    """
    referral = case.referrals[referral_id]
    cause = Cause(uuid5(referral_id, f"reminder {referral.reminders}"))
    decision = DecisionBuilder(case, cause, context)
    if referral.reminders < len(REMINDERS):
        decision.add(_remind(case, referral, REMINDERS[referral.reminders], context))
    else:
        decision.add(*_ask_fallback(case, referral, context, cause))
    return decision.build()


def _remind(case: CaseState, referral: Referral, reminder: Transition, context: DecisionContext) -> ReferralChange:
    now, answer_by = context.now, referral.answer_by or context.now
    number = referral.changes + 1
    period = answer_by - referral.asked_at
    reminded = referral._replace(reminders=referral.reminders + 1, due_at=now + period, changes=number)
    kind = ReferralOverdue if reminder is Transition.OVERDUE else ReferralEscalated
    to_agency = agency_inbox.ReferralOverdue(
        case_id=case.report.case_id,
        referral_id=referral.referral_id,
        sent_at=now,
        answer_by=answer_by,
        escalated=reminder is Transition.ESCALATED,
    )
    events = (
        emit(kind(**referral_facts(case, reminded, now), answer_by=answer_by)),
        notify_agency(referral.agency, to_agency),
    )
    return ReferralChange(reminded, (HistoryEntry(referral.referral_id, number, reminder, now),), events)


def _ask_fallback(case: CaseState, referral: Referral, context: DecisionContext, cause: Cause) -> list[Step]:
    change = cancel_referral(case, referral, Reason.NO_ANSWER, context.now, context)
    after, need = case.with_referral(change.referral), case.need(referral.need_id)
    outcome = place_fallback(context.query(after, need), context.city, after.programs_asked(need.need_id))
    return [change, *request_or_queue(after, need, outcome, context, cause)]
