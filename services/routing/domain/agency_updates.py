"""An agency says something about a referral: it is applied, refused with the reason, or already known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import (
    CaseDecision,
    Cause,
    DecisionContext,
    HistoryEntry,
    OutgoingEvent,
    asking,
    facts,
    resolve_if_ended,
)
from services.routing.domain.placement import Placed, place
from services.routing.domain.referral import Advanced, Disallowed, Referral, ReferralUpdate, Transition, advance
from services.routing.domain.referrals import request, request_or_queue
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
from shared.events.topics import inbox_topic

NOT_YOURS: Final = "no such referral of yours"
"""All that an agency learns about a referral that is not its own, whether there is one or not."""

CHANGES: Final[Mapping[str, Transition]] = {
    f"referral.{change.value}.v1": change
    for change in Transition
    if change not in {Transition.REQUESTED, Transition.OVERDUE, Transition.ESCALATED}
}

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
"""After these the need is as it was: somebody else is asked."""


@dataclass(frozen=True, slots=True)
class ReceivedUpdate:
    """One update, and the agency whose topic it came on; `prompt.cause` is the update's id."""

    agency: str
    update: AgencyUpdate
    prompt: Cause


@dataclass(frozen=True, slots=True)
class RefusedUpdate:
    """An update that changed nothing, and what its sender is told."""

    prompt: Cause
    said: list[OutgoingEvent] = field(default_factory=list)


def apply_update(
    case: CaseState | None, heard: ReceivedUpdate, around: DecisionContext
) -> CaseDecision | RefusedUpdate:
    """Apply an update to the referral that it is about; one that says what is already so does nothing."""
    referral = case.referrals.get(heard.update.referral_id) if case else None
    if case is None or referral is None or referral.agency != heard.agency:
        return _refuse(heard, around.now, "unknown", NOT_YOURS)
    target = _target(case, referral, heard.update, around)
    if isinstance(target, str):
        return _refuse(heard, around.now, referral.state, target)
    outcome = advance(referral, _as_update(heard.update))
    if isinstance(outcome, Disallowed):
        return _refuse(heard, around.now, referral.state, outcome.explanation)
    turn = CaseDecision.on(case, around, heard.prompt)
    if isinstance(outcome, Advanced):
        _apply(turn, outcome.referral, heard.update, target)
    return turn


def _as_update(update: AgencyUpdate) -> ReferralUpdate:
    reason = update.reason if isinstance(update, ReasonedUpdate) else None
    return ReferralUpdate(CHANGES[update.type], update.occurred_at, reason)


def _apply(turn: CaseDecision, moved: Referral, update: AgencyUpdate, target: Placed | None) -> None:
    words = update.explanation if isinstance(update, ReasonedUpdate) else None
    turn.keep(moved)
    turn.note(HistoryEntry(moved, moved.changes, moved.last_change, update.occurred_at, moved.reason, words=words))
    turn.say(_event(turn, moved, update))
    need = turn.case.need(moved.need_id)
    if target is not None:
        request(turn, need, target)
    elif moved.last_change in NOT_MET:
        tried = {referral.program_name for referral in turn.case.tries(moved.need_id)}
        request_or_queue(turn, need, place(turn.asking(need), turn.around.city, tried))
    resolve_if_ended(turn, update.occurred_at)


def _event(turn: CaseDecision, moved: Referral, update: AgencyUpdate) -> ReferralEvent:
    said = facts(turn, moved, update.occurred_at)
    if isinstance(update, agency_updates.ReferralTransferred):
        return ReferralTransferred(**said, to_agency=update.to_agency, to_program=update.to_program)
    if moved.last_change is Transition.HELD:
        return ReferralHeld(**said, reason=moved.reason, agency_controls=moved.reason not in OUTSIDE_AGENCY_CONTROL)
    if moved.last_change in _REASONED:
        return _REASONED[moved.last_change](**said, reason=moved.reason)
    return _PLAIN[moved.last_change](**said)


def _target(case: CaseState, referral: Referral, update: AgencyUpdate, around: DecisionContext) -> Placed | str | None:
    """Return whom a transfer names, or why it cannot be; None for every other update."""
    if not isinstance(update, agency_updates.ReferralTransferred) or not referral.is_open:
        return None
    name = f"{update.to_agency}/{update.to_program}"
    program = around.city.programs.get(name)
    asked = asking(case, case.need(referral.need_id), around)
    fits = program and referral.need in program.needs and program.serves(asked.district)
    if program is None or not fits or not around.city.admits(program, asked):
        return f"{name} is not a program that this need can be handed to"
    if name in {other.program_name for other in case.tries(referral.need_id) if other.is_open}:
        return f"{name} is already asked to help with this need"
    return Placed(program, f"transferred by {referral.program_name}")


def _refuse(heard: ReceivedUpdate, now: datetime, state: str, explanation: str) -> RefusedUpdate:
    update_id: UUID = heard.prompt.cause
    refused = agency_inbox.UpdateRefused(
        case_id=heard.update.case_id,
        referral_id=heard.update.referral_id,
        sent_at=now,
        update_id=update_id,
        update_type=heard.update.type,
        state=state,
        explanation=explanation,
    )
    return RefusedUpdate(heard.prompt, [OutgoingEvent(inbox_topic(heard.agency), refused)])
