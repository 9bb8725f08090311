"""Opens emergency accesses for caseworkers, and records what reviewers say of them."""

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
    insert_access,
    list_for_review,
    list_open_accesses,
    lock_for_review,
    save_review,
)
from services.routing.store.partner_referrals import find_case_of
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from services.routing.use_cases.person_keys import PersonKeyring
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Database, Transaction

REVIEW_WITHIN: Final = timedelta(hours=72)
"""An access without a review is flagged after this time."""

UNKNOWN_ACCESS: Final = "unknown access"
ALREADY_REVIEWED: Final = "the access is reviewed already"


@dataclass(frozen=True, slots=True)
class StatedReason:
    """The caseworker who opens something, and why, in their own words."""

    caseworker: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessForReview:
    """An access as a reviewer sees it; `reason` and `note` are None where the person was erased."""

    stored: StoredAccess
    reason: str | None
    note: str | None
    is_late: bool


async def open_in_emergency(
    context: RoutingContext, database: Database, request: AccessRequest, stated: StatedReason
) -> GrantedAccess | NotOpened | None:
    """Open what is withheld, and notify the others in the case; None where the agency may not know of the referral."""
    async with database.transaction() as tx:
        case_id = await find_case_of(tx, request.agency, request.referral_id)
        if case_id is None:
            return None
        known = await lock_cases(tx, [case_id])
        case = known[case_id]
        session = await open_session(context, tx, known, [case.report])
        accesses = await list_open_accesses(tx, request.agency, request.referral_id, session.context.now)
        outcome = open_withheld(case, request, accesses, session.context)
        if not isinstance(outcome, Opened):
            return outcome
        reason = session.persons.seal(case.report, stated.reason)
        if reason is None:
            return NOTHING_MORE  # the person was erased: no key opens anything of the report
        await insert_access(tx, case_id, outcome.access, stated.caseworker, reason)
        await save_decisions(session, [outcome.decision])
    return outcome.access


async def list_accesses_for_review(context: RoutingContext, database: Database) -> Sequence[AccessForReview]:
    """List accesses with the reasons given, those without a review first."""
    async with database.transaction(notify_commit=False) as tx:
        stored, now = await list_for_review(tx), await context.now(tx)
        reports = [CaseSubmitted.model_validate_json(each.report) for each in stored]
        persons = await _persons(context, tx, reports)
    return [_for_review(each, report, persons, now) for each, report in zip(stored, reports, strict=True)]


async def review(context: RoutingContext, database: Database, verdict: AccessReview, note: str) -> str | None:
    """Record what a reviewer says of an access; return why that is not possible, else None."""
    async with database.transaction(notify_commit=False) as tx:
        found = await lock_for_review(tx, verdict.access_id)
        if found is None:
            return UNKNOWN_ACCESS
        text, is_reviewed = found
        if is_reviewed:
            return ALREADY_REVIEWED
        report = CaseSubmitted.model_validate_json(text)
        persons = await _persons(context, tx, [report])
        await save_review(tx, verdict, await context.now(tx), persons.seal(report, note))
    return None


async def _persons(context: RoutingContext, tx: Transaction, reports: Sequence[CaseSubmitted]) -> PersonKeyring:
    person_ids = [report.person_id for report in reports if report.person_id is not None]
    return PersonKeyring((await context.lock_consents(tx, person_ids)).persons)


def _for_review(stored: StoredAccess, report: CaseSubmitted, persons: PersonKeyring, now: datetime) -> AccessForReview:
    return AccessForReview(
        stored,
        persons.read(report, stored.reason),
        persons.read(report, stored.note) if stored.note else None,
        stored.reviewed_at is None and now - stored.access.opened_at > REVIEW_WITHIN,
    )
