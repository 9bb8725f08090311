"""Asking a program to help, and not needing it any more."""

from datetime import datetime

from services.routing.domain.decision import CaseDecision, HistoryEntry, add_to_triage, facts
from services.routing.domain.disclosure import give_request
from services.routing.domain.placement import Placed, Unplaced
from services.routing.domain.referral import Referral, State, Transition
from shared.events import agency_inbox
from shared.events.event import construct
from shared.events.intake import Need, RecordedReferral
from shared.events.reasons import Reason
from shared.events.referrals import ReferralCancelled, ReferralRequested
from shared.events.wire import fast_uuid5


def request(turn: CaseDecision, need: Need, placed: Placed) -> Referral:
    """Ask a program to help with a need, and give it what the agreements let it have."""
    made = create_referral(turn, need, placed)
    give_request(turn, made)
    return made


def create_referral(turn: CaseDecision, need: Need, placed: Placed, record: RecordedReferral | None = None) -> Referral:
    """Make a referral to a program, and say so to the other services; the agency has still to be told.

    With a record of it from another system, the referral was requested when the record was opened; one that was
    closed there is only recorded, and nobody is to answer it.
    """
    turn.bar(need, placed.refused)
    made = _new_referral(turn, need, placed, record)
    turn.keep(made)
    turn.note(HistoryEntry(made, 1, Transition.REQUESTED, made.changed_at, why=placed.why))
    turn.say(
        construct(
            ReferralRequested,
            **facts(turn, made, made.changed_at),
            answer_by=made.answer_by,
            attempt=made.attempt,
        )
    )
    return made


def request_or_queue(turn: CaseDecision, need: Need, chosen: Placed | Unplaced) -> None:
    """Ask whoever was chosen; when nobody was, a person must choose."""
    if isinstance(chosen, Placed):
        request(turn, need, chosen)
    else:
        add_to_triage(turn, need, chosen)


def cancel(turn: CaseDecision, referral: Referral, reason: Reason, at: datetime, *, quietly: bool = False) -> None:
    """Take a referral back, and tell its agency, unless it has never heard of it."""
    number = referral.changes + 1
    cancelled = referral._replace(
        state=State.CANCELLED,
        last_change=Transition.CANCELLED,
        reason=reason,
        changed_at=at,
        due_at=None,
        changes=number,
    )
    turn.keep(cancelled)
    turn.note(HistoryEntry(cancelled, number, Transition.CANCELLED, at, reason))
    turn.say(ReferralCancelled(**facts(turn, cancelled, at), reason=reason))
    if quietly:
        return
    told = agency_inbox.ReferralCancelled(
        case_id=turn.report.case_id, referral_id=referral.referral_id, sent_at=turn.around.now, reason=reason
    )
    turn.tell(referral.agency, told)


def _new_referral(turn: CaseDecision, need: Need, placed: Placed, record: RecordedReferral | None) -> Referral:
    program, now = placed.program, turn.around.now
    attempt = len(turn.case.tries(need.need_id)) + 1
    over = record is not None and record.closed_at is not None
    answer_by = None if over else now + program.answer_within
    return Referral(
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
        record_only=over,
    )
