"""What routing hears: cases from intake, and what agencies say about their referrals."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any
from uuid import UUID

from services.routing.domain.agency_updates import ReceivedUpdate, RefusedUpdate, apply_update
from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause
from services.routing.domain.submission import PriorDisclosures, decide
from services.routing.store.cases import lock_cases
from services.routing.store.disclosures import look_up_shared
from services.routing.use_cases.context import DecisionSession, RoutingContext, open_session, save_decisions
from shared.events.agency_updates import AgencyUpdate, ReasonedUpdate
from shared.events.intake import CaseSubmitted, CaseWithdrawn, ConsentEvent, PersonErased
from shared.events.topics import AGENCY_UPDATES, CASES
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, InboundMessage, Subscription

CaseMessage = InboundMessage[CaseSubmitted | CaseWithdrawn | ConsentEvent | PersonErased]
UpdateMessage = InboundMessage[AgencyUpdate]

NOTHING_SHARED = PriorDisclosures({}, {})


def subscriptions(desk: RoutingContext) -> list[Subscription]:
    """List what routing reads."""
    return [
        Subscription("routing", CASES, partial(on_cases, desk), concurrency=2, fast_path=partial(on_new_cases, desk)),
        Subscription("routing-updates", AGENCY_UPDATES, partial(on_agency_updates, desk)),
    ]


async def on_new_cases(desk: RoutingContext, batch: Batch[Any], connection: Transaction) -> bool:
    """Ask for help with new cases whose persons have consented to nothing: most batches hold nothing else.

    There is nothing to be locked. A consent that is given from now on is heard of, and widens what was given.
    """
    reports = [message.event for message in batch if isinstance(message.event, CaseSubmitted)]
    if not len(reports) == len(batch) == len(batch.subjects):
        return False
    sitting = await open_session(desk, connection, {}, reports)
    if any(sitting.around.consents.values()):
        return False
    turns = _decide_cases(sitting, batch, NOTHING_SHARED)
    await save_decisions(sitting, turns, heard=[message.identity for message in batch])
    return True


async def on_cases(desk: RoutingContext, batch: Batch[Any], tx: Transaction) -> None:
    """Ask for help with new cases; follow what their reporters decide about them, about consents, about themselves."""
    known = await lock_cases(tx, batch.subjects)
    new = [message.event for message in batch if isinstance(message.event, CaseSubmitted)]
    sitting = await open_session(desk, tx, known, [*new, *(case.report for case in known.values())])
    shared = await look_up_shared(tx, [message.event for message in batch])
    await save_decisions(sitting, _decide_cases(sitting, batch, shared))


async def on_agency_updates(desk: RoutingContext, batch: Batch[AgencyUpdate], tx: Transaction) -> None:
    """Apply what agencies say, or answer why it is refused."""
    known = await lock_cases(tx, batch.subjects)
    sitting = await open_session(desk, tx, known, _to_be_opened(batch, known))
    await save_decisions(sitting, _decide_updates(sitting, batch))


def _decide_cases(
    sitting: DecisionSession, batch: Sequence[CaseMessage], shared: PriorDisclosures
) -> list[CaseDecision]:
    """Decide in order, so that an event of a case sees what an earlier one of the batch has made of it."""
    cases = dict(sitting.known)
    turns: list[CaseDecision] = []
    for message in batch:
        text = (message.record.value or b"").decode()
        prompt = Cause(message.envelope.id, traceparent=message.traceparent, text=text)
        turn = decide(cases.get(message.event.case_id), message.event, prompt, sitting.around, shared)
        if turn is not None:
            cases[message.event.case_id] = turn.case
            shared.note(turn.given)
            turns.append(turn)
    return turns


def _decide_updates(sitting: DecisionSession, batch: Sequence[UpdateMessage]) -> list[CaseDecision | RefusedUpdate]:
    """Decide in order, as above."""
    cases = dict(sitting.known)
    outcomes = []
    for message in batch:
        agency = _agency_of(message.topic)
        prompt = Cause(message.envelope.id, f"agency:{agency}", message.traceparent)
        outcome = apply_update(
            cases.get(message.event.case_id), ReceivedUpdate(agency, message.event, prompt), sitting.around
        )
        if isinstance(outcome, CaseDecision):
            cases[message.event.case_id] = outcome.case
        outcomes.append(outcome)
    return outcomes


def _to_be_opened(batch: Sequence[UpdateMessage], known: Mapping[UUID, CaseState]) -> list[CaseSubmitted]:
    """Return the reports whose keys may be needed: to seal an agency's words, or to ask somebody else."""
    reasoned = {message.event.case_id for message in batch if isinstance(message.event, ReasonedUpdate)}
    return [case.report for case_id, case in known.items() if case_id in reasoned]


@cache
def _agency_of(topic: str) -> str:
    """Return whose topic it is; only that agency can write to it."""
    match = AGENCY_UPDATES.pattern.match(topic)
    return match["agency"] if match else ""
