"""Carries out what agencies ask for by the partner API: nothing is answered before its receipt is committed."""

from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import DecisionContext
from services.routing.domain.partner_access import ReadRequest, is_hidden, list_visible, read
from services.routing.domain.referral import Referral
from services.routing.store.cases import lock_cases, read_cases
from services.routing.store.emergencies import list_accesses
from services.routing.store.partner_referrals import PageRequest, find_case_of, list_own
from services.routing.use_cases.context import RoutingContext, open_session, save_decisions
from services.routing.use_cases.ledger import Proof, prove
from services.routing.use_cases.person_keys import PersonKeyring
from shared.kit.database.database import Database, Transaction

Listed = tuple[CaseState, Referral]


async def read_referral(desk: RoutingContext, database: Database, asked: ReadRequest) -> bytes | None:
    """Give an agency what it may have now, as it is answered; None where it may not know of the referral."""
    async with database.transaction() as tx:
        case_id = await find_case_of(tx, asked.agency, asked.referral_id)
        if case_id is None:
            return None
        known = await lock_cases(tx, [case_id])
        sitting = await open_session(desk, tx, known, [known[case_id].report])
        accesses = await list_accesses(tx, asked.agency, asked.referral_id, sitting.around.now)
        outcome = read(known[case_id], asked, accesses, sitting.around)
        if outcome is None:
            return None
        await save_decisions(sitting, [outcome.turn])
    return outcome.text


async def list_referrals(desk: RoutingContext, database: Database, page: PageRequest) -> list[Listed]:
    """List referrals that an agency may know of now, by their ids: as many as it asks for, unless there are no more."""
    shown: list[Listed] = []
    async with database.transaction(notify_commit=False) as tx:
        while len(shown) < page.limit:
            own = await list_own(tx, page)
            shown += await _visible(desk, tx, page.agency, own)
            if len(own) < page.limit:
                break
            page = page._replace(after=own[-1][0])
    return shown[: page.limit]


async def prove_receipt(desk: RoutingContext, database: Database, agency: str, receipt_id: UUID) -> Proof | None:
    """Find a receipt of something that an agency was given, with its proof; None where it may not know of that.

    Raises:
        DamagedLedgerError: nodes are missing that the proof consists of.
    """
    async with database.transaction(notify_commit=False) as tx:
        found = await prove(tx, receipt_id)
        if found is None or found.facts["agency"] != agency:
            return None
        case_id, referral_id = UUID(found.facts["case_id"]), found.facts["referral_id"]
        case = (await read_cases(tx, [case_id])).get(case_id)
        around = await _look_around(desk, tx, [case_id])
        hidden = case is None or is_hidden(case, referral_id and UUID(referral_id), agency, around)
        return None if hidden else found


async def _visible(desk: RoutingContext, tx: Transaction, agency: str, own: list[tuple[UUID, UUID]]) -> list[Listed]:
    cases = await read_cases(tx, {case_id for _, case_id in own})
    around = await _look_around(desk, tx, [*cases])
    visible = {
        referral.referral_id: (case, referral)
        for case in cases.values()
        for referral in list_visible(case, agency, around)
    }
    return [visible[referral_id] for referral_id, _ in own if referral_id in visible]


async def _look_around(desk: RoutingContext, tx: Transaction, case_ids: list[UUID]) -> DecisionContext:
    """Hold the consents of these cases as they are; nothing is opened, so that no key is needed."""
    desk.check()
    held = await desk.lock_consents(tx, cases=case_ids)
    return DecisionContext(desk.city, held.now, PersonKeyring({}), held.consents)
