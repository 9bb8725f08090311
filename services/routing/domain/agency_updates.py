"""An agency says something about a referral: it is applied, refused with the reason, or already known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.decision import Circumstances, Noted, Prompt, Said, Turn, asking, facts, resolve_if_ended
from services.routing.domain.placement import Placed, place
from services.routing.domain.referral import Advanced, Change, Referral, Refused, Update, advance
from services.routing.domain.referrals import request, request_or_wait
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

CHANGES: Final[Mapping[str, Change]] = {
    f"referral.{change.value}.v1": change
    for change in Change
    if change not in {Change.REQUESTED, Change.OVERDUE, Change.ESCALATED}
}

_PLAIN: Final[Mapping[Change, type[ReferralEvent]]] = {
    Change.ACCEPTED: ReferralAccepted,
    Change.STARTED: ReferralStarted,
    Change.RESUMED: ReferralResumed,
    Change.COMPLETED: ReferralCompleted,
}

_REASONED: Final[Mapping[Change, type[ReferralEvent]]] = {
    Change.REJECTED: ReferralRejected,
    Change.FAILED: ReferralFailed,
    Change.CANCELLED: ReferralCancelled,
}

NOT_MET: Final = frozenset({Change.REJECTED, Change.FAILED, Change.CANCELLED})
"""After these the need is as it was: somebody else is asked."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One update, and the agency whose topic it came on; `prompt.cause` is the update's id."""

    agency: str
    update: AgencyUpdate
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Refusal:
    """An update that changed nothing, and what its sender is told."""

    prompt: Prompt
    said: list[Said] = field(default_factory=list)


def hear(case: Case | None, heard: Heard, around: Circumstances) -> Turn | Refusal:
    """Apply an update to the referral that it is about; one that says what is already so does nothing."""
    referral = case.referrals.get(heard.update.referral_id) if case else None
    if case is None or referral is None or referral.agency != heard.agency:
        return _refuse(heard, around.now, "unknown", NOT_YOURS)
    target = _target(case, referral, heard.update, around)
    if isinstance(target, str):
        return _refuse(heard, around.now, referral.state, target)
    outcome = advance(referral, _as_update(heard.update))
    if isinstance(outcome, Refused):
        return _refuse(heard, around.now, referral.state, outcome.explanation)
    turn = Turn.on(case, around, heard.prompt)
    if isinstance(outcome, Advanced):
        _apply(turn, outcome.referral, heard.update, target)
    return turn


def _as_update(update: AgencyUpdate) -> Update:
    reason = update.reason if isinstance(update, ReasonedUpdate) else None
    return Update(CHANGES[update.type], update.occurred_at, reason)


def _apply(turn: Turn, moved: Referral, update: AgencyUpdate, target: Placed | None) -> None:
    words = update.explanation if isinstance(update, ReasonedUpdate) else None
    turn.keep(moved)
    turn.note(Noted(moved, moved.changes, moved.last_change, update.occurred_at, moved.reason, words=words))
    turn.say(_event(turn, moved, update))
    need = turn.case.need(moved.need_id)
    if target is not None:
        request(turn, need, target)
    elif moved.last_change in NOT_MET:
        tried = {referral.program_name for referral in turn.case.tries(moved.need_id)}
        request_or_wait(turn, need, place(turn.asking(need), turn.around.city, tried))
    resolve_if_ended(turn, update.occurred_at)


def _event(turn: Turn, moved: Referral, update: AgencyUpdate) -> ReferralEvent:
    said = facts(turn, moved, update.occurred_at)
    if isinstance(update, agency_updates.ReferralTransferred):
        return ReferralTransferred(**said, to_agency=update.to_agency, to_program=update.to_program)
    if moved.last_change is Change.HELD:
        return ReferralHeld(**said, reason=moved.reason, agency_controls=moved.reason not in OUTSIDE_AGENCY_CONTROL)
    if moved.last_change in _REASONED:
        return _REASONED[moved.last_change](**said, reason=moved.reason)
    return _PLAIN[moved.last_change](**said)


def _target(case: Case, referral: Referral, update: AgencyUpdate, around: Circumstances) -> Placed | str | None:
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


def _refuse(heard: Heard, now: datetime, state: str, explanation: str) -> Refusal:
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
    return Refusal(heard.prompt, [Said(inbox_topic(heard.agency), refused)])
