"""Carries out what caseworkers open in emergencies, and what reviewers say of it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.routing.domain.partner_access import (
    NOTHING_MORE,
    AccessRequest,
    GrantedAccess,
    NotOpened,
    Opened,
    open_withheld,
)
from services.routing.store.cases import lock_cases
from services.routing.store.emergencies import (
    AccessReview,
    StoredAccess,
    add_access,
    keep_review,
    list_accesses,
    list_for_review,
    lock_for_review,
)
from services.routing.store.partner_referrals import find_case_of
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from services.routing.use_cases.person_keys import PersonKeyring
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Database, Transaction

REVIEW_WITHIN: Final = timedelta(hours=72)
"""An access that nobody has reviewed after so long is flagged."""

NOBODY: Final = "there is no such access"
REVIEWED: Final = "somebody has reviewed it already"


@dataclass(frozen=True, slots=True)
class StatedReason:
    """Who opens something, and why, in their own words."""

    caseworker: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessForReview:
    """An access as a reviewer sees it; the words are None where the person was erased."""

    kept: StoredAccess
    reason: str | None
    note: str | None
    late: bool


async def open_in_emergency(
    desk: RoutingContext, database: Database, wanted: AccessRequest, stated: StatedReason
) -> GrantedAccess | NotOpened | None:
    """Open what is withheld, and tell whoever must know; None where the agency may not know of the referral."""
    async with database.transaction() as tx:
        case_id = await find_case_of(tx, wanted.agency, wanted.referral_id)
        if case_id is None:
            return None
        known = await lock_cases(tx, [case_id])
        case = known[case_id]
        sitting = await open_session(desk, tx, known, [case.report])
        accesses = await list_accesses(tx, wanted.agency, wanted.referral_id, sitting.around.now)
        outcome = open_withheld(case, wanted, accesses, sitting.around)
        if not isinstance(outcome, Opened):
            return outcome
        reason = sitting.people.seal(case.report, stated.reason)
        if reason is None:
            return NOTHING_MORE
        await add_access(tx, case_id, outcome.access, stated.caseworker, reason)
        await save_decisions(sitting, [outcome.turn])
    return outcome.access


async def list_accesses_for_review(desk: RoutingContext, database: Database) -> Sequence[AccessForReview]:
    """List accesses with the reasons given, those that nobody has reviewed first."""
    async with database.transaction(notify_commit=False) as tx:
        kept, now = await list_for_review(tx), await desk.clock(tx)
        reports = [CaseSubmitted.model_validate_json(each.report) for each in kept]
        people = await _people(desk, tx, reports)
    return [_show(each, report, people, now) for each, report in zip(kept, reports, strict=True)]


async def review(desk: RoutingContext, database: Database, said: AccessReview, note: str) -> str | None:
    """Keep what a reviewer says of an access; returns why that cannot be done, if it cannot."""
    async with database.transaction(notify_commit=False) as tx:
        found = await lock_for_review(tx, said.access_id)
        if found is None:
            return NOBODY
        text, is_reviewed = found
        if is_reviewed:
            return REVIEWED
        report = CaseSubmitted.model_validate_json(text)
        people = await _people(desk, tx, [report])
        await keep_review(tx, said, await desk.clock(tx), people.seal(report, note))
    return None


async def _people(desk: RoutingContext, tx: Transaction, reports: Sequence[CaseSubmitted]) -> PersonKeyring:
    wanted = [report.person_id for report in reports if report.person_id is not None]
    return PersonKeyring((await desk.lock_consents(tx, wanted)).persons)


def _show(kept: StoredAccess, report: CaseSubmitted, people: PersonKeyring, now: datetime) -> AccessForReview:
    return AccessForReview(
        kept,
        people.read(report, kept.reason),
        people.read(report, kept.note) if kept.note else None,
        kept.reviewed_at is None and now - kept.access.opened_at > REVIEW_WITHIN,
    )
