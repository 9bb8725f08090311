"""What the use cases of routing work with, and how each opens a decision session and saves what was decided."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.routing.domain.agency_updates import RefusedUpdate
from services.routing.domain.case import CaseState
from services.routing.domain.city import RoutingCity
from services.routing.domain.decision import CaseDecision, DecisionContext
from services.routing.store.case_changes import insert_rows, mark_recalled, new_rows, update_cases
from services.routing.use_cases.person_keys import EncryptTo, PersonKeyring, refuse_to_encrypt
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Transaction
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.vault.consents import LockedConsents, lock_consents
from shared.kit.vault.vault import Vault


class LockConsents(Protocol):
    """Locks consents, reads keys and reads the clock, inside a transaction; tests replace it to set the clock."""

    async def __call__(
        self, tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Lock the consents of these cases, and read the keys of these persons."""
        ...


ReadinessCheck = Callable[[], None]
"""Returns when decisions may be made, else raises UnavailableError."""


def always_ready() -> None:
    """Allow every decision."""


@dataclass(frozen=True, slots=True)
class RoutingContext:
    """The city, the vault, and the replaceable parts that decisions depend on."""

    city: RoutingCity
    vault: Vault
    consent_lock: LockConsents = lock_consents
    encrypt_to: EncryptTo = refuse_to_encrypt
    check_ready: ReadinessCheck = always_ready
    """Called before every decision."""

    async def lock_consents(
        self, tx: Transaction, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Lock the consents of these cases until the transaction ends, and read the keys of these persons.

        The time in the result is the database's, read after the locks were given: all instances of routing share that
        clock, and no consent of these cases is granted or withdrawn between that moment and the commit.
        """
        return await self.consent_lock(tx, self.vault, persons, cases)

    async def now(self, tx: Transaction) -> datetime:
        """Return the database's time."""
        return (await self.lock_consents(tx)).now


@dataclass(frozen=True, slots=True)
class DecisionSession:
    """The decisions of one transaction."""

    tx: Transaction
    known: Mapping[UUID, CaseState]
    """The cases as they were when they were locked."""
    persons: PersonKeyring
    context: DecisionContext


async def open_session(
    context: RoutingContext, tx: Transaction, known: Mapping[UUID, CaseState], reports: Iterable[CaseSubmitted]
) -> DecisionSession:
    """Prepare decisions about these reports: lock the consents of their cases, read the keys of their persons.

    Call it after the cases were locked: the time of the session must not be before that of the transaction that held
    their locks until now.

    Raises:
        UnavailableError: the agreements that would decide are not registered yet.
    """
    context.check_ready()
    reports = tuple(reports)
    person_ids = [report.person_id for report in reports if report.person_id is not None]
    locked = await context.lock_consents(tx, person_ids, [report.case_id for report in reports])
    persons = PersonKeyring(locked.persons, context.encrypt_to)
    return DecisionSession(tx, known, persons, DecisionContext(context.city, locked.now, persons, locked.consents))


async def save_decisions(
    session: DecisionSession,
    outcomes: Sequence[CaseDecision | RefusedUpdate],
    consumed: Iterable[tuple[str, UUID]] = (),
) -> None:
    """Write what was decided, queue its events, and add the `consumed` events (source and id) to the inbox.

    Where all cases are new and nothing is recalled, it is a single statement.
    """
    decisions = [outcome for outcome in outcomes if isinstance(outcome, CaseDecision)]
    await update_cases(session.tx, session.known, decisions)
    rows = new_rows(session.known, decisions, session.persons.seal)
    rows["inbox"] = [{"source": source, "event_id": event_id} for source, event_id in consumed]
    await insert_rows(session.tx, rows, _outbox_events(outcomes))
    await mark_recalled(session.tx, decisions)


def _outbox_events(outcomes: Sequence[CaseDecision | RefusedUpdate]) -> list[OutboxEvent]:
    return [
        OutboxEvent(
            each.topic, each.event, outcome.cause.id, outcome.cause.traceparent, each.required_consents, each.text
        )
        for outcome in outcomes
        for each in outcome.events
    ]
