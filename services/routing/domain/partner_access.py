"""In an emergency a caseworker opens what is withheld, for a few hours; never what rests on consent alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause, DecisionContext, OutgoingEvent
from services.routing.domain.disclosure import (
    ReleasedContent,
    leave_receipt,
    named_in,
    plan_of,
    receipt_for,
    required_consents_of,
    shown_from,
    terms_of,
)
from services.routing.domain.referral import Referral
from shared.events.agency_inbox import Disclosed, EmergencyAccess
from shared.events.disclosures import EmergencyAccessOpened
from shared.events.event import Instant
from shared.events.fields import FieldGroup
from shared.events.topics import REFERRALS, inbox_topic
from shared.policy.agreements import Form
from shared.policy.plan import CONSENT_ONLY, ReleaseGround, ReleasePlan, Verdict
from shared.policy.release import release

LONGEST: Final = timedelta(hours=4)
"""No access lasts longer."""


class GrantedAccess(NamedTuple):
    """What one agency has opened of one of its referrals, and until when."""

    access_id: UUID
    referral_id: UUID
    agency: str
    groups: frozenset[FieldGroup]
    opened_at: datetime
    ends_at: datetime

    def counts(self, at: datetime) -> bool:
        """Tell whether it is open at a moment; not for longer than the longest, whatever is kept as its end."""
        return self.opened_at <= at < min(self.ends_at, self.opened_at + LONGEST)


class AccessRequest(NamedTuple):
    """What a caseworker of an agency wants to open, and for how long; without groups, all that is withheld."""

    agency: str
    referral_id: UUID
    access_id: UUID
    groups: frozenset[FieldGroup]
    lasts: timedelta
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """It is open now, and those who must know are told."""

    turn: CaseDecision
    access: GrantedAccess


@dataclass(frozen=True, slots=True)
class NotOpened:
    """It stays as it was; the text says why."""

    why: str


CLOSED: Final = NotOpened("the referral is not open: an emergency is for those who work on it")
PROTECTED: Final = NotOpened(
    "the report is protected: nothing of it can be opened without the person's written consent"
)
NOTHING_MORE: Final = NotOpened("nothing that is withheld would be opened")


def find_visible(turn: CaseDecision, agency: str, referral_id: UUID) -> Referral | None:
    """Find a referral of an agency that it may know of now."""
    referral = turn.case.referrals.get(referral_id)
    if referral is None or referral.agency != agency or not plan_of(turn, referral).entitled:
        return None
    return referral


def with_accesses(plan: ReleasePlan, accesses: Iterable[GrantedAccess], now: datetime) -> ReleasePlan:
    """Add to a plan what is open in an emergency; nothing to one that lets the agency know nothing, or is protected."""
    if not plan.entitled or plan.protects in CONSENT_ONLY:
        return plan
    opened = {
        group: Verdict({Form.THIN: (ReleaseGround("emergency", str(access.access_id)),)})
        for access in accesses
        if access.counts(now)
        for group in access.groups - CONSENT_ONLY - plan.groups
    }
    return replace(plan, verdicts={**plan.verdicts, **opened}) if opened else plan


def open_withheld(
    case: CaseState, wanted: AccessRequest, accesses: Iterable[GrantedAccess], around: DecisionContext
) -> Opened | NotOpened | None:
    """Open what is withheld from an agency; None where it may not know of the referral."""
    turn = CaseDecision.on(case, around, Cause(wanted.access_id, f"agency:{wanted.agency}", wanted.traceparent))
    referral = find_visible(turn, wanted.agency, wanted.referral_id)
    if referral is None:
        return None
    if not referral.is_open:
        return CLOSED
    base = plan_of(turn, referral)
    if base.protects in CONSENT_ONLY:
        return PROTECTED
    withheld = frozenset(with_accesses(base, accesses, around.now).withheld)
    groups = (wanted.groups & withheld if wanted.groups else withheld) - CONSENT_ONLY
    if not groups:
        return NOTHING_MORE
    lasts = min(wanted.lasts, LONGEST)
    access = GrantedAccess(wanted.access_id, wanted.referral_id, wanted.agency, groups, around.now, around.now + lasts)
    _tell(turn, base, access)
    return Opened(turn, access)


def _tell(turn: CaseDecision, plan: ReleasePlan, access: GrantedAccess) -> None:
    """Tell the other services, and every other agency that works on the case and may know of it."""
    opened = EmergencyAccessOpened(
        case_id=turn.report.case_id,
        referral_id=access.referral_id,
        agency=access.agency,
        groups=tuple([group for group in FieldGroup if group in access.groups]),
        occurred_at=access.opened_at,
        access_id=access.access_id,
        ends_at=access.ends_at,
        shown_from=shown_from(plan, access.opened_at),
    )
    turn.said.append(OutgoingEvent(REFERRALS.topic, opened, required_consents_of(plan)))
    others = {other.agency: other for other in turn.case.open_referrals() if other.agency != access.agency}
    for other in others.values():
        its_plan = plan_of(turn, other)
        if its_plan.entitled:
            turn.said.append(
                OutgoingEvent(inbox_topic(other.agency), _told(turn, other, access), required_consents_of(its_plan))
            )


def _told(turn: CaseDecision, other: Referral, access: GrantedAccess) -> EmergencyAccess:
    return EmergencyAccess(
        case_id=turn.report.case_id,
        referral_id=other.referral_id,
        sent_at=access.opened_at,
        agency=access.agency,
        access_id=access.access_id,
        ends_at=access.ends_at,
    )


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


class ReadRequest(NamedTuple):
    """Who asks for what, the id that this disclosure will have, and what is open to them in an emergency."""

    agency: str
    referral_id: UUID
    receipt_id: UUID
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class DisclosedReferral:
    """What is answered, byte for byte, and the turn that keeps its receipt."""

    turn: CaseDecision
    text: bytes


def read(
    case: CaseState, asked: ReadRequest, accesses: tuple[GrantedAccess, ...], around: DecisionContext
) -> DisclosedReferral | None:
    """Give an agency what it may have of one of its referrals; None where it may not know of it."""
    turn = CaseDecision.on(case, around, Cause(asked.receipt_id, f"agency:{asked.agency}", asked.traceparent))
    referral = find_visible(turn, asked.agency, asked.referral_id)
    if referral is None:
        return None
    plan = with_accesses(plan_of(turn, referral), accesses, around.now)
    answer = _answer(turn, referral, plan, _open_until(accesses, plan, around.now), asked.receipt_id)
    text, groups = answer.model_dump_json().encode(), named_in(answer.released)
    in_emergency = any(ground.kind == "emergency" for ground in plan.grounds_of(groups))
    handed = ReleasedContent(asked.receipt_id, "emergency" if in_emergency else "read", groups, text)
    leave_receipt(turn, plan, receipt_for(turn, referral, plan, handed))
    return DisclosedReferral(turn, text)


def is_hidden(case: CaseState, referral_id: UUID | None, agency: str, around: DecisionContext) -> bool:
    """Tell whether there must be no sign of a referral any more: what it stood on was a consent that has ended."""
    if CONSENT_ONLY.isdisjoint(around.city.protections_of(case.report)):
        return False
    turn = CaseDecision.on(case, around, Cause(case.report.case_id))
    return referral_id is None or find_visible(turn, agency, referral_id) is None


def list_visible(case: CaseState, agency: str, around: DecisionContext) -> list[Referral]:
    """Return those of a case's referrals that an agency may know of."""
    turn = CaseDecision.on(case, around, Cause(case.report.case_id))
    return [each for each in turn.case.referrals.values() if find_visible(turn, agency, each.referral_id)]


def _answer(
    turn: CaseDecision, referral: Referral, plan: ReleasePlan, until: datetime | None, receipt_id: UUID
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


def _open_until(accesses: tuple[GrantedAccess, ...], plan: ReleasePlan, now: datetime) -> datetime | None:
    named = {
        ground.id for verdict in plan.verdicts.values() for ground in verdict.grounds if ground.kind == "emergency"
    }
    return min((each.ends_at for each in accesses if each.counts(now) and str(each.access_id) in named), default=None)
