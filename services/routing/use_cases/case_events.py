"""Decides about the events of cases from intake: submitted, withdrawn, consents, an erased person."""

from collections.abc import Sequence
from typing import Any

from services.routing.domain.decision import CaseDecision, Cause
from services.routing.domain.submission import PriorDisclosures, decide
from services.routing.store.cases import lock_cases
from services.routing.store.disclosures import withhold_and_list_prior
from services.routing.use_cases.context import DecisionSession, RoutingContext, open_session, save_decisions
from shared.events.intake import CaseSubmitted, CaseWithdrawn, ConsentEvent, PersonErased
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, InboundMessage

CaseMessage = InboundMessage[CaseSubmitted | CaseWithdrawn | ConsentEvent | PersonErased]


async def route_new_cases(context: RoutingContext, connection: Transaction, batch: Batch[Any]) -> bool:
    """Route a batch that holds only new cases without consents, as most batches do; else return False.

    The whole batch is one statement, without a transaction around it: there is no row to lock. A consent that is
    granted from now on arrives as an event of its own, and extends the disclosures.
    """
    reports = [message.event for message in batch if isinstance(message.event, CaseSubmitted)]
    # Several events of one case need the case's lock, and the order in which they came.
    if not len(reports) == len(batch) == len(batch.subjects):
        return False
    session = await open_session(context, connection, {}, reports)
    if any(session.context.consents.values()):
        return False
    decisions = _decide(session, batch, PriorDisclosures({}, {}))
    await save_decisions(session, decisions, consumed=[message.identity for message in batch])
    return True


async def apply_case_events(context: RoutingContext, tx: Transaction, batch: Batch[Any]) -> None:
    """Decide about a batch of events, each case under its lock."""
    known = await lock_cases(tx, batch.subjects)
    submitted = [message.event for message in batch if isinstance(message.event, CaseSubmitted)]
    session = await open_session(context, tx, known, [*submitted, *(case.report for case in known.values())])
    prior = await withhold_and_list_prior(tx, [message.event for message in batch])
    await save_decisions(session, _decide(session, batch, prior))


def _decide(session: DecisionSession, batch: Sequence[CaseMessage], prior: PriorDisclosures) -> list[CaseDecision]:
    """Decide in order: an event of a case is decided on what an earlier one of the batch has made of the case."""
    cases = dict(session.known)
    decisions: list[CaseDecision] = []
    for message in batch:
        text = (message.record.value or b"").decode()
        cause = Cause(message.envelope.id, traceparent=message.traceparent, text=text)
        case_id = message.event.case_id
        decision = decide(cases.get(case_id), message.event, cause, session.context, prior)
        if decision is not None:
            cases[case_id] = decision.case
            prior.record(decision.disclosures)
            decisions.append(decision)
    return decisions
