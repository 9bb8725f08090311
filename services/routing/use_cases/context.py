"""What every decision of routing stands on, and how its outcome is kept and said."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.routing.domain.agency_updates import RefusedUpdate
from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, DecisionContext
from services.routing.domain.placement import RoutingCity
from services.routing.store.case_changes import save_cases
from services.routing.store.disclosures import mark_recalled
from services.routing.store.new_cases import NewRows
from services.routing.use_cases.person_keys import EncryptTo, PersonKeyring, refuse_to_encrypt
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Transaction
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.vault.consents import LockedConsents, lock_consents
from shared.kit.vault.vault import Vault


class LockConsents(Protocol):
    """Holds consents, reads keys and tells the time, inside a transaction."""

    async def __call__(
        self, tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Hold the consents of these cases, read the keys of these persons."""
        ...


ReadinessCheck = Callable[[], None]
"""Lets somebody decide, or raises UnavailableError."""


def always_ready() -> None:
    """Let everybody decide."""


@dataclass(frozen=True, slots=True)
class RoutingContext:
    """The city, the keys of persons and agencies, and what holds consents and tells the time.

    The clock is the database's, which all instances share. `check` is asked before anything is decided.
    """

    city: RoutingCity
    vault: Vault
    holding: LockConsents = lock_consents
    seal_to: EncryptTo = refuse_to_encrypt
    check: ReadinessCheck = always_ready

    async def lock_consents(
        self, tx: Transaction, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Hold the consents of these cases as they are, read the keys of these persons, and tell the time."""
        return await self.holding(tx, self.vault, persons, cases)

    async def clock(self, tx: Transaction) -> datetime:
        """Tell the time inside a transaction."""
        return (await self.lock_consents(tx)).now


@dataclass(frozen=True, slots=True)
class DecisionSession:
    """One transaction's worth of deciding: the cases as they were locked, and the circumstances."""

    tx: Transaction
    known: Mapping[UUID, CaseState]
    people: PersonKeyring
    around: DecisionContext


async def open_session(
    desk: RoutingContext, tx: Transaction, known: Mapping[UUID, CaseState], reports: Iterable[CaseSubmitted]
) -> DecisionSession:
    """Make ready to decide about these reports: hold their consents as they are, read the keys of their persons.

    Raises:
        UnavailableError: what would be decided by is not on record.
    """
    desk.check()
    reports = tuple(reports)
    persons = [report.person_id for report in reports if report.person_id is not None]
    held = await desk.lock_consents(tx, persons, [report.case_id for report in reports])
    people = PersonKeyring(held.persons, desk.seal_to)
    return DecisionSession(tx, known, people, DecisionContext(desk.city, held.now, people, held.consents))


async def save_decisions(
    sitting: DecisionSession, outcomes: Sequence[CaseDecision | RefusedUpdate], heard: Iterable[tuple[str, UUID]] = ()
) -> None:
    """Keep what was decided, queue what is to be said about it, and note in the inbox what was `heard` by this.

    Where all cases are new and nothing is recalled, it is a single statement.
    """
    turns = [outcome for outcome in outcomes if isinstance(outcome, CaseDecision)]
    additions = NewRows(_announced(outcomes))
    additions.note("inbox", [{"source": source, "event_id": event_id} for source, event_id in heard])
    await save_cases(sitting.tx, sitting.known, turns, sitting.people.seal, additions)
    await mark_recalled(sitting.tx, [consent_id for turn in turns for consent_id in turn.recalled])


def _announced(outcomes: Sequence[CaseDecision | RefusedUpdate]) -> list[OutboxEvent]:
    return [
        OutboxEvent(said.topic, said.event, outcome.prompt.cause, outcome.prompt.traceparent, said.guards, said.text)
        for outcome in outcomes
        for said in outcome.said
    ]
