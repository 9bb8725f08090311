"""Nobody has answered in time: the agency is reminded, then a supervisor, then somebody else is asked."""

from uuid import UUID, uuid5

from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause, DecisionContext, HistoryEntry, facts
from services.routing.domain.placement import place_fallback
from services.routing.domain.referral import Referral, Transition
from services.routing.domain.referrals import cancel, request_or_queue
from shared.events import agency_inbox
from shared.events.reasons import Reason
from shared.events.referrals import ReferralEscalated, ReferralOverdue

OVERDUE_STEP, ESCALATED_STEP = 0, 1


def due(case: CaseState, around: DecisionContext) -> list[UUID]:
    """Return the referrals of a case whose time has come."""
    return [r.referral_id for r in case.open_referrals() if r.due_at is not None and r.due_at <= around.now]


def remind(case: CaseState, referral_id: UUID, around: DecisionContext) -> CaseDecision:
    """Take the next step with a referral that nobody has answered; the steps are one time to answer apart.

    First the agency is reminded, then again as an escalation, then the referral is taken back and the fallback that
    the routing book names is asked. Each step has an id of its own, so that taking it twice says it once.
    """
    referral = case.referrals[referral_id]
    turn = CaseDecision.on(case, around, Cause(uuid5(referral_id, f"reminder {referral.reminders}")))
    if referral.reminders == OVERDUE_STEP:
        _remind(turn, referral, Transition.OVERDUE)
    elif referral.reminders == ESCALATED_STEP:
        _remind(turn, referral, Transition.ESCALATED)
    else:
        _ask_elsewhere(turn, referral)
    return turn


def _remind(turn: CaseDecision, referral: Referral, change: Transition) -> None:
    now, answer_by = turn.around.now, referral.answer_by or turn.around.now
    number = referral.changes + 1
    period = answer_by - referral.asked_at
    later = referral._replace(reminders=referral.reminders + 1, due_at=now + period, changes=number)
    turn.keep(later)
    turn.note(HistoryEntry(later, number, change, now))
    said = ReferralOverdue if change is Transition.OVERDUE else ReferralEscalated
    turn.say(said(**facts(turn, later, now), answer_by=answer_by))
    told = agency_inbox.ReferralOverdue(
        case_id=turn.report.case_id,
        referral_id=referral.referral_id,
        sent_at=now,
        answer_by=answer_by,
        escalated=change is Transition.ESCALATED,
    )
    turn.tell(referral.agency, told)


def _ask_elsewhere(turn: CaseDecision, referral: Referral) -> None:
    cancel(turn, referral, Reason.NO_ANSWER, turn.around.now)
    need = turn.case.need(referral.need_id)
    tried = {other.program_name for other in turn.case.tries(need.need_id)}
    request_or_queue(turn, need, place_fallback(turn.asking(need), turn.around.city, tried))
