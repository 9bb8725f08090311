"""In an emergency a caseworker opens what is withheld, for a few hours; never what rests on consent alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.circumstances import Circumstances
from services.routing.domain.disclosing import guards_of, plan_of, shown_from
from services.routing.domain.referral import Referral
from services.routing.domain.turn import Prompt, Said, Turn
from shared.events.agency_inbox import EmergencyAccess
from shared.events.disclosures import EmergencyAccessOpened
from shared.events.fields import FieldGroup
from shared.events.topics import REFERRALS, inbox_topic
from shared.policy.agreements import Form
from shared.policy.plan import CONSENT_ONLY, Ground, ReleasePlan, Verdict

LONGEST: Final = timedelta(hours=4)
"""No access lasts longer."""


class Access(NamedTuple):
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


class Wanted(NamedTuple):
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

    turn: Turn
    access: Access


@dataclass(frozen=True, slots=True)
class NotOpened:
    """It stays as it was; the text says why."""

    why: str


CLOSED: Final = NotOpened("the referral is not open: an emergency is for those who work on it")
PROTECTED: Final = NotOpened(
    "the report is protected: nothing of it can be opened without the person's written consent"
)
NOTHING_MORE: Final = NotOpened("nothing that is withheld would be opened")


def find_visible(turn: Turn, agency: str, referral_id: UUID) -> Referral | None:
    """Find a referral of an agency that it may know of now."""
    referral = turn.case.referrals.get(referral_id)
    if referral is None or referral.agency != agency or not plan_of(turn, referral).entitled:
        return None
    return referral


def with_accesses(plan: ReleasePlan, accesses: Iterable[Access], now: datetime) -> ReleasePlan:
    """Add to a plan what is open in an emergency; nothing to one that lets the agency know nothing, or is protected."""
    if not plan.entitled or plan.protects in CONSENT_ONLY:
        return plan
    opened = {
        group: Verdict({Form.THIN: (Ground("emergency", str(access.access_id)),)})
        for access in accesses
        if access.counts(now)
        for group in access.groups - CONSENT_ONLY - plan.groups
    }
    return replace(plan, verdicts={**plan.verdicts, **opened}) if opened else plan


def open_withheld(
    case: Case, wanted: Wanted, accesses: Iterable[Access], around: Circumstances
) -> Opened | NotOpened | None:
    """Open what is withheld from an agency; None where it may not know of the referral."""
    turn = Turn.on(case, around, Prompt(wanted.access_id, f"agency:{wanted.agency}", wanted.traceparent))
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
    access = Access(wanted.access_id, wanted.referral_id, wanted.agency, groups, around.now, around.now + lasts)
    _tell(turn, base, access)
    return Opened(turn, access)


def _tell(turn: Turn, plan: ReleasePlan, access: Access) -> None:
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
    turn.said.append(Said(REFERRALS.topic, opened, guards_of(plan)))
    others = {other.agency: other for other in turn.case.open_referrals() if other.agency != access.agency}
    for other in others.values():
        its_plan = plan_of(turn, other)
        if its_plan.entitled:
            turn.said.append(Said(inbox_topic(other.agency), _told(turn, other, access), guards_of(its_plan)))


def _told(turn: Turn, other: Referral, access: Access) -> EmergencyAccess:
    return EmergencyAccess(
        case_id=turn.report.case_id,
        referral_id=other.referral_id,
        sent_at=access.opened_at,
        agency=access.agency,
        access_id=access.access_id,
        ends_at=access.ends_at,
    )
