"""What every decision of routing stands on, and how its outcome is kept and said."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.routing.domain.agency_updates import Refusal
from services.routing.domain.case import Case
from services.routing.domain.decision import Circumstances, Turn
from services.routing.domain.placement import City
from services.routing.store.case_changes import save
from services.routing.store.disclosures import mark_recalled
from services.routing.store.new_cases import Additions
from services.routing.use_cases.person_keys import People, SealTo, sealing_to_nobody
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Transaction
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.vault.consents import LockedConsents, lock_consents
from shared.kit.vault.vault import Vault


class Hold(Protocol):
    """Holds consents, reads keys and tells the time, inside a transaction."""

    async def __call__(
        self, tx: Transaction, vault: Vault, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Hold the consents of these cases, read the keys of these persons."""
        ...


Check = Callable[[], None]
"""Lets somebody decide, or raises UnavailableError."""


def nothing_to_check() -> None:
    """Let everybody decide."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The city, the keys of persons and agencies, and what holds consents and tells the time.

    The clock is the database's, which all instances share. `check` is asked before anything is decided.
    """

    city: City
    vault: Vault
    holding: Hold = lock_consents
    seal_to: SealTo = sealing_to_nobody
    check: Check = nothing_to_check

    async def lock_consents(
        self, tx: Transaction, persons: Iterable[UUID] = (), cases: Collection[UUID] = ()
    ) -> LockedConsents:
        """Hold the consents of these cases as they are, read the keys of these persons, and tell the time."""
        return await self.holding(tx, self.vault, persons, cases)

    async def clock(self, tx: Transaction) -> datetime:
        """Tell the time inside a transaction."""
        return (await self.lock_consents(tx)).now


@dataclass(frozen=True, slots=True)
class Sitting:
    """One transaction's worth of deciding: the cases as they were locked, and the circumstances."""

    tx: Transaction
    known: Mapping[UUID, Case]
    people: People
    around: Circumstances


async def sit(desk: Desk, tx: Transaction, known: Mapping[UUID, Case], reports: Iterable[CaseSubmitted]) -> Sitting:
    """Make ready to decide about these reports: hold their consents as they are, read the keys of their persons.

    Raises:
        UnavailableError: what would be decided by is not on record.
    """
    desk.check()
    reports = tuple(reports)
    persons = [report.person_id for report in reports if report.person_id is not None]
    held = await desk.lock_consents(tx, persons, [report.case_id for report in reports])
    people = People(held.persons, desk.seal_to)
    return Sitting(tx, known, people, Circumstances(desk.city, held.now, people, held.consents))


async def conclude(
    sitting: Sitting, outcomes: Sequence[Turn | Refusal], heard: Iterable[tuple[str, UUID]] = ()
) -> None:
    """Keep what was decided, queue what is to be said about it, and note in the inbox what was `heard` by this.

    Where all cases are new and nothing is recalled, it is a single statement.
    """
    turns = [outcome for outcome in outcomes if isinstance(outcome, Turn)]
    additions = Additions(_announced(outcomes))
    additions.note("inbox", [{"source": source, "event_id": event_id} for source, event_id in heard])
    await save(sitting.tx, sitting.known, turns, sitting.people.seal, additions)
    await mark_recalled(sitting.tx, [consent_id for turn in turns for consent_id in turn.recalled])


def _announced(outcomes: Sequence[Turn | Refusal]) -> list[OutboxEvent]:
    return [
        OutboxEvent(said.topic, said.event, outcome.prompt.cause, outcome.prompt.traceparent, said.guards, said.text)
        for outcome in outcomes
        for said in outcome.said
    ]
