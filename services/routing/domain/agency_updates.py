"""An agency's update of one of its referrals is applied, refused with a reason, or ignored because it is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.routing.domain.case import CaseState
from services.routing.domain.decision import (
    CaseDecision,
    Cause,
    DecisionBuilder,
    DecisionContext,
    HistoryEntry,
    OutgoingEvent,
    ReferralChange,
    Step,
    emit,
    notify_agency,
    referral_facts,
)
from services.routing.domain.placement import Placed, place
from services.routing.domain.referral import Advanced, Disallowed, Referral, ReferralUpdate, Transition, advance
from services.routing.domain.referrals import close_if_ended, request_help, request_or_queue
from shared.events import agency_inbox, agency_updates
from shared.events.agency_updates import AgencyUpdate, ReasonedUpdate
from shared.events.reasons import OUTSIDE_AGENCY_CONTROL
from shared.events.referrals import (
    ReferralAccepted,
    ReferralCancelled,
    ReferralCompleted,
    ReferralEvent,
    ReferralFailed,
    ReferralHeld,
    ReferralRejected,
    ReferralResumed,
    ReferralStarted,
    ReferralTransferred,
)

NOT_YOURS: Final = "no such referral of yours"
"""The explanation for an unknown referral and for another agency's: an agency cannot tell one from the other."""

TRANSITIONS: Final[Mapping[str, Transition]] = {
    f"referral.{transition.value}.v1": transition
    for transition in Transition
    if transition not in {Transition.REQUESTED, Transition.OVERDUE, Transition.ESCALATED}
}
"""What an agency's update reports, by its event type; the three left out are routing's own."""

_PLAIN: Final[Mapping[Transition, type[ReferralEvent]]] = {
    Transition.ACCEPTED: ReferralAccepted,
    Transition.STARTED: ReferralStarted,
    Transition.RESUMED: ReferralResumed,
    Transition.COMPLETED: ReferralCompleted,
}

_REASONED: Final[Mapping[Transition, type[ReferralEvent]]] = {
    Transition.REJECTED: ReferralRejected,
    Transition.FAILED: ReferralFailed,
    Transition.CANCELLED: ReferralCancelled,
}

NOT_MET: Final = frozenset({Transition.REJECTED, Transition.FAILED, Transition.CANCELLED})
"""After these the need is not met: routing asks another program."""


@dataclass(frozen=True, slots=True)
class ReceivedUpdate:
    """One update, and the agency on whose topic it arrived; the id of `cause` is the id of the update's event."""

    agency: str
    update: AgencyUpdate
    cause: Cause


@dataclass(frozen=True, slots=True)
class RefusedUpdate:
    """An update that changed nothing, and the event that tells its sender why."""

    cause: Cause
    events: tuple[OutgoingEvent, ...]


def apply_update(
    case: CaseState | None, received: ReceivedUpdate, context: DecisionContext
) -> CaseDecision | RefusedUpdate:
    """Apply an update to its referral; one that reports the state that the referral already has changes nothing."""
    update = received.update
    referral = case.referrals.get(update.referral_id) if case else None
    if case is None or referral is None or referral.agency != received.agency:
        return _refuse(received, context, "unknown", NOT_YOURS)
    receiver = _receiver(case, referral, update, context)
    if isinstance(receiver, str):
        return _refuse(received, context, referral.state, receiver)
    outcome = advance(referral, _as_referral_update(update))
    if isinstance(outcome, Disallowed):
        return _refuse(received, context, referral.state, outcome.explanation)
    decision = DecisionBuilder(case, received.cause, context)
    if isinstance(outcome, Advanced):
        decision.add(_change(case, outcome.referral, update))
        decision.add(*_next_request(decision.case, outcome.referral, receiver, context, received.cause))
        decision.add(*close_if_ended(decision.case, update.occurred_at))
    return decision.build()


def _as_referral_update(update: AgencyUpdate) -> ReferralUpdate:
    reason = update.reason if isinstance(update, ReasonedUpdate) else None
    return ReferralUpdate(TRANSITIONS[update.type], update.occurred_at, reason)


def _change(case: CaseState, advanced: Referral, update: AgencyUpdate) -> ReferralChange:
    entry = HistoryEntry(
        advanced.referral_id,
        advanced.changes,
        advanced.last_change,
        update.occurred_at,
        advanced.reason,
        words=update.explanation if isinstance(update, ReasonedUpdate) else None,
    )
    return ReferralChange(advanced, (entry,), (emit(_event(case, advanced, update)),))


def _next_request(
    case: CaseState, advanced: Referral, receiver: Placed | None, context: DecisionContext, cause: Cause
) -> list[Step]:
    """Ask the program that a transfer names, or another one where the agency has not met the need."""
    need = case.need(advanced.need_id)
    if receiver is not None:
        return request_help(case, need, receiver, context, cause)
    if advanced.last_change in NOT_MET:
        outcome = place(context.query(case, need), context.city, case.programs_asked(need.need_id))
        return request_or_queue(case, need, outcome, context, cause)
    return []


def _event(case: CaseState, advanced: Referral, update: AgencyUpdate) -> ReferralEvent:
    facts = referral_facts(case, advanced, update.occurred_at)
    reason = advanced.reason
    if isinstance(update, agency_updates.ReferralTransferred):
        return ReferralTransferred(**facts, to_agency=update.to_agency, to_program=update.to_program)
    if advanced.last_change is Transition.HELD:
        return ReferralHeld(**facts, reason=reason, agency_controls=reason not in OUTSIDE_AGENCY_CONTROL)
    if advanced.last_change in _REASONED:
        return _REASONED[advanced.last_change](**facts, reason=reason)
    return _PLAIN[advanced.last_change](**facts)


def _receiver(
    case: CaseState, referral: Referral, update: AgencyUpdate, context: DecisionContext
) -> Placed | str | None:
    """Return the program that a transfer names, or why the transfer is not possible; None for every other update."""
    if not isinstance(update, agency_updates.ReferralTransferred) or not referral.is_open:
        return None
    name = f"{update.to_agency}/{update.to_program}"
    program = context.city.programs.get(name)
    query = context.query(case, case.need(referral.need_id))
    fits = program and referral.need in program.needs and program.serves(query.district)
    if program is None or not fits or not context.city.admits(program, query):
        return f"{name} is not a program that this need can be handed to"
    if name in {other.program_name for other in case.referrals_of(referral.need_id) if other.is_open}:
        return f"{name} is already asked to help with this need"
    return Placed(program, f"transferred by {referral.program_name}")


def _refuse(received: ReceivedUpdate, context: DecisionContext, state: str, explanation: str) -> RefusedUpdate:
    refused = agency_inbox.UpdateRefused(
        case_id=received.update.case_id,
        referral_id=received.update.referral_id,
        sent_at=context.now,
        update_id=received.cause.id,
        update_type=received.update.type,
        state=state,
        explanation=explanation,
    )
    return RefusedUpdate(received.cause, (notify_agency(received.agency, refused),))
