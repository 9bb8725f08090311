"""What an agency reads by the partner API, and emergency access: a caseworker opens what is withheld, for a few hours.

Emergency access never opens what only a consent can release.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import (
    CaseDecision,
    Cause,
    DecisionBuilder,
    DecisionContext,
    OutgoingEvent,
    emit,
    notify_agency,
)
from services.routing.domain.disclosure import (
    PlannedDisclosure,
    ReleasedContent,
    groups_in,
    plan_disclosure,
    record_disclosure,
    terms_of,
)
from services.routing.domain.referral import Referral
from shared.events.agency_inbox import Disclosed, EmergencyAccess
from shared.events.disclosures import EmergencyAccessOpened
from shared.events.event import Instant
from shared.events.fields import FieldGroup
from shared.policy.agreements import Form
from shared.policy.plan import CONSENT_ONLY, ReleaseGround, ReleasePlan, Verdict

MAX_ACCESS: Final = timedelta(hours=4)
"""How long an emergency access lasts at most."""


class GrantedAccess(NamedTuple):
    """An emergency access: what one agency has opened of one of its referrals, and until when."""

    access_id: UUID
    referral_id: UUID
    agency: str
    groups: frozenset[FieldGroup]
    opened_at: datetime
    ends_at: datetime

    def is_open(self, at: datetime) -> bool:
        """Tell whether it is open at a moment; never for longer than `MAX_ACCESS`, whatever end is stored."""
        return self.opened_at <= at < min(self.ends_at, self.opened_at + MAX_ACCESS)


class AccessRequest(NamedTuple):
    """What a caseworker of an agency asks to open, and for how long; without groups, all that is withheld."""

    agency: str
    referral_id: UUID
    access_id: UUID
    groups: frozenset[FieldGroup]
    duration: timedelta
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The access is open; `decision` notifies the other services and the other agencies of the case."""

    decision: CaseDecision
    access: GrantedAccess


@dataclass(frozen=True, slots=True)
class NotOpened:
    """Nothing was opened; the text says why."""

    why: str


CLOSED: Final = NotOpened(
    "the referral is not open: only agencies that work on a case can open something in an emergency"
)
PROTECTED: Final = NotOpened(
    "the report is protected: nothing of it can be opened without the person's written consent"
)
NOTHING_MORE: Final = NotOpened("no withheld field group would be opened")


class ReferralRead(Disclosed):
    """The answer of the partner API about a referral: everything that the agency may have now, in one form.

    The agency answers the referral by `answer_by`. `emergency_until` is the end of the emergency access that released
    a part of this answer; null if none did.
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
    """An agency asks to read one of its referrals; the disclosure gets the id `receipt_id`."""

    agency: str
    referral_id: UUID
    receipt_id: UUID
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class DisclosedReferral:
    """The answer, byte for byte, and the decision that has its receipt."""

    decision: CaseDecision
    text: bytes


def open_withheld(
    case: CaseState, request: AccessRequest, accesses: Iterable[GrantedAccess], context: DecisionContext
) -> Opened | NotOpened | None:
    """Open what is withheld from an agency; None where the agency may not know of the referral.

    `accesses` are those that the agency has opened of the referral already.
    """
    planned = _plan_visible(case, request.agency, request.referral_id, context)
    if planned is None:
        return None
    if not planned.referral.is_open:
        return CLOSED
    # `protects` is the strictest protection of the report: groups that only a consent releases come first.
    if planned.plan.protects in CONSENT_ONLY:
        return PROTECTED
    withheld = frozenset(with_accesses(planned.plan, accesses, context.now).withheld)
    groups = (request.groups & withheld if request.groups else withheld) - CONSENT_ONLY
    if not groups:
        return NOTHING_MORE
    ends_at = context.now + min(request.duration, MAX_ACCESS)
    access = GrantedAccess(request.access_id, request.referral_id, request.agency, groups, context.now, ends_at)
    decision = DecisionBuilder(case, Cause(request.access_id, f"agency:{request.agency}", request.traceparent), context)
    decision.add(_access_opened(planned, access), *_notify_others(case, access, context))
    return Opened(decision.build(), access)


def read(
    case: CaseState, request: ReadRequest, accesses: tuple[GrantedAccess, ...], context: DecisionContext
) -> DisclosedReferral | None:
    """Disclose to an agency what it may have of one of its referrals; None where it may not know of the referral."""
    planned = _plan_visible(case, request.agency, request.referral_id, context)
    if planned is None:
        return None
    planned = planned._replace(plan=with_accesses(planned.plan, accesses, context.now))
    answer = _answer(planned, _open_until(accesses, planned), request.receipt_id)
    text, groups = answer.model_dump_json().encode(), groups_in(answer.released)
    in_emergency = any(ground.kind == "emergency" for ground in planned.plan.grounds_of(groups))
    content = ReleasedContent(request.receipt_id, "emergency" if in_emergency else "read", groups, text)
    decision = DecisionBuilder(
        case, Cause(request.receipt_id, f"agency:{request.agency}", request.traceparent), context
    )
    decision.add(record_disclosure(planned, content))
    return DisclosedReferral(decision.build(), text)


def with_accesses(plan: ReleasePlan, accesses: Iterable[GrantedAccess], now: datetime) -> ReleasePlan:
    """Add to a plan what is open in an emergency.

    Nothing is added to a plan that does not let the agency know of the need, or of a report that only a consent
    releases.
    """
    if not plan.entitled or plan.protects in CONSENT_ONLY:
        return plan
    opened = {
        group: Verdict({Form.THIN: (ReleaseGround("emergency", str(access.access_id)),)})
        for access in accesses
        if access.is_open(now)
        for group in access.groups - CONSENT_ONLY - plan.groups
    }
    return replace(plan, verdicts={**plan.verdicts, **opened}) if opened else plan


def is_hidden(case: CaseState, referral_id: UUID | None, agency: str, context: DecisionContext) -> bool:
    """Tell whether an agency must not see any more that there is a referral: its consent was revoked."""
    if CONSENT_ONLY.isdisjoint(context.city.protections_of(case.report)):
        return False
    return referral_id is None or _plan_visible(case, agency, referral_id, context) is None


def list_visible(case: CaseState, agency: str, context: DecisionContext) -> list[Referral]:
    """Return those referrals of a case that an agency may know of."""
    return [each for each in case.referrals.values() if _plan_visible(case, agency, each.referral_id, context)]


def _plan_visible(
    case: CaseState, agency: str, referral_id: UUID, context: DecisionContext
) -> PlannedDisclosure | None:
    """Return what an agency may have of a referral; None if the referral is another agency's or may not be known."""
    referral = case.referrals.get(referral_id)
    if referral is None or referral.agency != agency:
        return None
    planned = plan_disclosure(case, referral, context)
    return planned if planned.plan.entitled else None


def _access_opened(planned: PlannedDisclosure, access: GrantedAccess) -> OutgoingEvent:
    opened = EmergencyAccessOpened(
        case_id=planned.case.report.case_id,
        referral_id=access.referral_id,
        agency=access.agency,
        groups=tuple([group for group in FieldGroup if group in access.groups]),
        occurred_at=access.opened_at,
        access_id=access.access_id,
        ends_at=access.ends_at,
        shown_from=planned.shown_from,
    )
    return emit(opened)._replace(required_consents=planned.required_consents)


def _notify_others(case: CaseState, access: GrantedAccess, context: DecisionContext) -> list[OutgoingEvent]:
    """Notify every other agency that works on the case and may know of it."""
    others = {other.agency: other for other in case.open_referrals() if other.agency != access.agency}
    plans = [plan_disclosure(case, other, context) for other in others.values()]
    return [_notification(planned, access) for planned in plans if planned.plan.entitled]


def _notification(planned: PlannedDisclosure, access: GrantedAccess) -> OutgoingEvent:
    event = EmergencyAccess(
        case_id=planned.case.report.case_id,
        referral_id=planned.referral.referral_id,
        sent_at=access.opened_at,
        agency=access.agency,
        access_id=access.access_id,
        ends_at=access.ends_at,
    )
    return notify_agency(planned.referral.agency, event)._replace(required_consents=planned.required_consents)


def _answer(planned: PlannedDisclosure, open_until: datetime | None, receipt_id: UUID) -> ReferralRead:
    content, referral, report = planned.release(), planned.referral, planned.case.report
    return ReferralRead(
        referral_id=referral.referral_id,
        case_id=report.case_id,
        state=referral.state.value,
        submitted_at=report.submitted_at,
        answer_by=referral.answer_by,
        record_only=referral.record_only,
        need=referral.need,
        program=referral.program,
        released=content.whole(),
        withheld=content.withheld,
        terms=terms_of(planned.plan.terms),
        emergency_until=open_until,
        receipt_id=receipt_id,
    )


def _open_until(accesses: tuple[GrantedAccess, ...], planned: PlannedDisclosure) -> datetime | None:
    """Return when the first of the accesses that the plan depends on ends."""
    now, verdicts = planned.context.now, planned.plan.verdicts.values()
    used = {ground.id for verdict in verdicts for ground in verdict.grounds if ground.kind == "emergency"}
    return min((each.ends_at for each in accesses if each.is_open(now) and str(each.access_id) in used), default=None)
