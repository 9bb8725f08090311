"""What routing hears: cases from intake, and what agencies say about their referrals."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from uuid import UUID

from services.routing.desk import Desk, Sitting, conclude, sit
from services.routing.domain.case import Case
from services.routing.domain.filing import route, withdraw
from services.routing.domain.hearing import Heard, Refusal, hear
from services.routing.domain.turn import Prompt, Turn
from services.routing.store.locking import lock_cases
from shared.events.agency_updates import AgencyUpdate, ReasonedUpdate
from shared.events.intake import CaseSubmitted, CaseWithdrawn
from shared.events.topics import AGENCY_UPDATES, CASES
from shared.kit.database import Transaction
from shared.kit.messages import Batch, Received, Route

CaseMessage = Received[CaseSubmitted | CaseWithdrawn]
UpdateMessage = Received[AgencyUpdate]


class UnknownCaseError(Exception):
    """A case is withdrawn that was never submitted."""


def routes(desk: Desk) -> list[Route]:
    """List what routing reads."""
    return [
        Route("routing", CASES, partial(on_cases, desk), lanes=2),
        Route("routing-updates", AGENCY_UPDATES, partial(on_agency_updates, desk)),
    ]


async def on_cases(desk: Desk, batch: Batch[CaseSubmitted | CaseWithdrawn], tx: Transaction) -> None:
    """Ask for help with each need of a new case; take back what a withdrawn case has asked for."""
    known = await lock_cases(tx, batch.subjects)
    reports = [message.event for message in batch if isinstance(message.event, CaseSubmitted)]
    sitting = await sit(desk, tx, known, reports)
    await conclude(sitting, _decide_cases(sitting, batch))


async def on_agency_updates(desk: Desk, batch: Batch[AgencyUpdate], tx: Transaction) -> None:
    """Apply what agencies say, or answer why it is refused."""
    known = await lock_cases(tx, batch.subjects)
    sitting = await sit(desk, tx, known, _to_be_opened(batch, known))
    await conclude(sitting, _decide_updates(sitting, batch))


def _decide_cases(sitting: Sitting, batch: Sequence[CaseMessage]) -> list[Turn]:
    """Decide in order, so that an event of a case sees what an earlier one of the batch has made of it."""
    cases = dict(sitting.known)
    turns = []
    for message in batch:
        turn = _decide_case(sitting, message, cases.get(message.event.case_id))
        if turn is not None:
            cases[message.event.case_id] = turn.case
            turns.append(turn)
    return turns


def _decide_case(sitting: Sitting, message: CaseMessage, case: Case | None) -> Turn | None:
    """Decide about one message; a case that is submitted again is left as it is."""
    text = (message.record.value or b"").decode()
    prompt = Prompt(message.envelope.id, traceparent=message.traceparent, text=text)
    if isinstance(message.event, CaseSubmitted):
        return route(message.event, prompt, sitting.around) if case is None else None
    if case is None:
        raise UnknownCaseError(f"case {message.event.case_id} is withdrawn and was never submitted")
    return withdraw(case, message.event, prompt, sitting.around)


def _decide_updates(sitting: Sitting, batch: Sequence[UpdateMessage]) -> list[Turn | Refusal]:
    """Decide in order, as above."""
    cases = dict(sitting.known)
    outcomes = []
    for message in batch:
        agency = _agency_of(message.topic)
        prompt = Prompt(message.envelope.id, f"agency:{agency}", message.traceparent)
        outcome = hear(cases.get(message.event.case_id), Heard(agency, message.event, prompt), sitting.around)
        if isinstance(outcome, Turn):
            cases[message.event.case_id] = outcome.case
        outcomes.append(outcome)
    return outcomes


def _to_be_opened(batch: Sequence[UpdateMessage], known: Mapping[UUID, Case]) -> list[CaseSubmitted]:
    """Return the reports whose keys may be needed: to seal an agency's words, or to ask somebody else."""
    reasoned = {message.event.case_id for message in batch if isinstance(message.event, ReasonedUpdate)}
    return [case.report for case_id, case in known.items() if case_id in reasoned]


@cache
def _agency_of(topic: str) -> str:
    """Return whose topic it is; only that agency can write to it."""
    match = AGENCY_UPDATES.pattern.match(topic)
    return match["agency"] if match else ""
