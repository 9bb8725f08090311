"""Applies what agencies report about their referrals, or refuses it with a reason."""

from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

from services.routing.domain.agency_updates import ReceivedUpdate, RefusedUpdate, apply_update
from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause
from services.routing.store.cases import lock_cases
from services.routing.use_cases.context import DecisionSession, RoutingContext, open_session, save_decisions
from shared.events.agency_updates import AgencyUpdate, ReasonedUpdate
from shared.events.intake import CaseSubmitted
from shared.events.topics import AGENCY_UPDATES
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, InboundMessage


async def apply_agency_updates(context: RoutingContext, tx: Transaction, batch: Batch[AgencyUpdate]) -> None:
    """Decide about a batch of updates, each case under its lock."""
    known = await lock_cases(tx, batch.subjects)
    session = await open_session(context, tx, known, _reports_to_open(batch, known))
    await save_decisions(session, _decide(session, batch))


def _decide(
    session: DecisionSession, batch: Sequence[InboundMessage[AgencyUpdate]]
) -> list[CaseDecision | RefusedUpdate]:
    """Decide in order: an update is decided on what an earlier one of the batch has made of the case."""
    cases = dict(session.known)
    outcomes: list[CaseDecision | RefusedUpdate] = []
    for message in batch:
        agency, case_id = _agency_of(message.topic), message.event.case_id
        cause = Cause(message.envelope.id, f"agency:{agency}", message.traceparent)
        outcome = apply_update(cases.get(case_id), ReceivedUpdate(agency, message.event, cause), session.context)
        if isinstance(outcome, CaseDecision):
            cases[case_id] = outcome.case
        outcomes.append(outcome)
    return outcomes


def _reports_to_open(
    batch: Sequence[InboundMessage[AgencyUpdate]], known: Mapping[UUID, CaseState]
) -> list[CaseSubmitted]:
    """Return the reports whose keys may be needed: to encrypt an agency's words, or to ask another program."""
    reasoned = {message.event.case_id for message in batch if isinstance(message.event, ReasonedUpdate)}
    return [case.report for case_id, case in known.items() if case_id in reasoned]


@cache
def _agency_of(topic: str) -> str:
    """Return the agency whose topic it is; the broker lets no other agency write to it."""
    match = AGENCY_UPDATES.pattern.match(topic)
    return match["agency"] if match else ""
