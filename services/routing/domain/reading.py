"""An agency reads about a referral of its own: it is given all that it may have now, and a receipt is left."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.circumstances import Circumstances
from services.routing.domain.disclosing import (
    Handed,
    leave_receipt,
    named_in,
    plan_of,
    receipt_for,
    terms_of,
)
from services.routing.domain.emergencies import Access, find_visible, with_accesses
from services.routing.domain.referral import Referral
from services.routing.domain.turn import Prompt, Turn
from shared.events.agency_inbox import Disclosed
from shared.events.event import Instant
from shared.policy.opening import release
from shared.policy.plan import CONSENT_ONLY, ReleasePlan


class ReferralRead(Disclosed):
    """What the partner API answers about a referral: all that the agency may have now, in whatever form it is due.

    `answer_by` is the time to answer. `emergency_until` is when what was opened in an emergency is closed again;
    without one, nothing of it was.
    """

    referral_id: UUID
    case_id: UUID
    state: Literal["requested", "accepted", "in-progress", "on-hold", "completed", "rejected", "failed", "cancelled"]
    submitted_at: Instant
    answer_by: Instant | None
    record_only: bool
    emergency_until: Instant | None
    receipt_id: UUID


class Asked(NamedTuple):
    """Who asks for what, the id that this disclosure will have, and what is open to them in an emergency."""

    agency: str
    referral_id: UUID
    receipt_id: UUID
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What is answered, byte for byte, and the turn that keeps its receipt."""

    turn: Turn
    text: bytes


def read(case: Case, asked: Asked, accesses: tuple[Access, ...], around: Circumstances) -> Read | None:
    """Give an agency what it may have of one of its referrals; None where it may not know of it."""
    turn = Turn.on(case, around, Prompt(asked.receipt_id, f"agency:{asked.agency}", asked.traceparent))
    referral = find_visible(turn, asked.agency, asked.referral_id)
    if referral is None:
        return None
    plan = with_accesses(plan_of(turn, referral), accesses, around.now)
    answer = _answer(turn, referral, plan, _open_until(accesses, plan, around.now), asked.receipt_id)
    text, groups = answer.model_dump_json().encode(), named_in(answer.released)
    in_emergency = any(ground.kind == "emergency" for ground in plan.grounds_of(groups))
    handed = Handed(asked.receipt_id, "emergency" if in_emergency else "read", groups, text)
    leave_receipt(turn, plan, receipt_for(turn, referral, plan, handed))
    return Read(turn, text)


def is_hidden(case: Case, referral_id: UUID | None, agency: str, around: Circumstances) -> bool:
    """Tell whether there must be no sign of a referral any more: what it stood on was a consent that has ended."""
    if around.city.protection(case.report) not in CONSENT_ONLY:
        return False
    turn = Turn.on(case, around, Prompt(case.report.case_id))
    return referral_id is None or find_visible(turn, agency, referral_id) is None


def list_visible(case: Case, agency: str, around: Circumstances) -> list[Referral]:
    """Return those of a case's referrals that an agency may know of."""
    turn = Turn.on(case, around, Prompt(case.report.case_id))
    return [each for each in turn.case.referrals.values() if find_visible(turn, agency, each.referral_id)]


def _answer(
    turn: Turn, referral: Referral, plan: ReleasePlan, until: datetime | None, receipt_id: UUID
) -> ReferralRead:
    opened = release(plan, turn.report, referral.need, turn.around.keys.unseal)
    return ReferralRead(
        referral_id=referral.referral_id,
        case_id=turn.report.case_id,
        state=referral.state.value,
        submitted_at=turn.report.submitted_at,
        answer_by=referral.answer_by,
        record_only=referral.record_only,
        need=referral.need,
        program=referral.program,
        released=opened.whole(),
        withheld=opened.withheld,
        terms=terms_of(plan.terms),
        emergency_until=until,
        receipt_id=receipt_id,
    )


def _open_until(accesses: tuple[Access, ...], plan: ReleasePlan, now: datetime) -> datetime | None:
    named = {
        ground.id for verdict in plan.verdicts.values() for ground in verdict.grounds if ground.kind == "emergency"
    }
    return min((each.ends_at for each in accesses if each.counts(now) and str(each.access_id) in named), default=None)
