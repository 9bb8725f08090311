"""Answers what agencies read by the partner API; what discloses something is answered after its receipt commits."""

from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import DecisionContext
from services.routing.domain.partner_access import ReadRequest, is_hidden, list_visible, read
from services.routing.domain.referral import Referral
from services.routing.store.cases import lock_cases, read_cases
from services.routing.store.emergencies import list_open_accesses
from services.routing.store.partner_referrals import PageRequest, find_case_of, list_own
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from services.routing.use_cases.ledger import Proof, prove
from services.routing.use_cases.person_keys import PersonKeyring
from shared.kit.database.database import Database, Transaction

VisibleReferral = tuple[CaseState, Referral]


async def read_referral(context: RoutingContext, database: Database, request: ReadRequest) -> bytes | None:
    """Disclose what an agency may have now, and return the answer; None where it may not know of the referral."""
    async with database.transaction() as tx:
        case_id = await find_case_of(tx, request.agency, request.referral_id)
        if case_id is None:
            return None
        known = await lock_cases(tx, [case_id])
        session = await open_session(context, tx, known, [known[case_id].report])
        accesses = await list_open_accesses(tx, request.agency, request.referral_id, session.context.now)
        outcome = read(known[case_id], request, accesses, session.context)
        if outcome is None:
            return None
        await save_decisions(session, [outcome.decision])
    # Not before the commit: what has no receipt must not leave.
    return outcome.text


async def list_referrals(context: RoutingContext, database: Database, page: PageRequest) -> list[VisibleReferral]:
    """List referrals that an agency may know of now, by their ids: `page.limit` of them unless there are no more.

    Referrals that it may not know of are left out, so a page may take several reads.
    """
    listed: list[VisibleReferral] = []
    async with database.transaction(notify_commit=False) as tx:
        while len(listed) < page.limit:
            own = await list_own(tx, page)
            listed += await _visible(context, tx, page.agency, own)
            if len(own) < page.limit:
                break
            page = page._replace(after=own[-1][0])
    return listed[: page.limit]


async def prove_receipt(context: RoutingContext, database: Database, agency: str, receipt_id: UUID) -> Proof | None:
    """Return a receipt of a disclosure to an agency with its proof; None where the agency may not know of it.

    Raises:
        DamagedLedgerError: nodes that the proof consists of are missing.
    """
    async with database.transaction(notify_commit=False) as tx:
        found = await prove(tx, receipt_id)
        if found is None or found.facts["agency"] != agency:
            return None
        case_id, referral_id = UUID(found.facts["case_id"]), found.facts["referral_id"]
        case = (await read_cases(tx, [case_id])).get(case_id)
        decision_context = await _decision_context(context, tx, [case_id])
        hidden = case is None or is_hidden(case, referral_id and UUID(referral_id), agency, decision_context)
        return None if hidden else found


async def _visible(
    context: RoutingContext, tx: Transaction, agency: str, own: list[tuple[UUID, UUID]]
) -> list[VisibleReferral]:
    cases = await read_cases(tx, {case_id for _, case_id in own})
    decision_context = await _decision_context(context, tx, [*cases])
    visible = {
        referral.referral_id: (case, referral)
        for case in cases.values()
        for referral in list_visible(case, agency, decision_context)
    }
    return [visible[referral_id] for referral_id, _ in own if referral_id in visible]


async def _decision_context(context: RoutingContext, tx: Transaction, case_ids: list[UUID]) -> DecisionContext:
    """Lock the consents of these cases; nothing is decrypted by the context, so it has no keys."""
    context.check_ready()
    locked = await context.lock_consents(tx, cases=case_ids)
    return DecisionContext(context.city, locked.now, PersonKeyring({}), locked.consents)
