"""What every decision of routing stands on, and how its outcome is kept and said."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.hearing import Refusal
from services.routing.domain.placing import City
from services.routing.domain.turn import Circumstances, Turn
from services.routing.people import People
from services.routing.store.locking import read_clock
from services.routing.store.saving import save
from shared.events.intake import CaseSubmitted
from shared.kit import outbox
from shared.kit.database import Transaction
from shared.kit.outbox import Announcement
from shared.kit.vault import Vault

DatabaseClock = Callable[[Transaction], Awaitable[datetime]]
"""Tells the time inside a transaction."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The city, the keys, and the clock: the database's, which all instances share."""

    city: City
    vault: Vault
    clock: DatabaseClock = read_clock


@dataclass(frozen=True, slots=True)
class Sitting:
    """One transaction's worth of deciding: the cases as they were locked, and the circumstances."""

    tx: Transaction
    known: Mapping[UUID, Case]
    people: People
    around: Circumstances


async def sit(desk: Desk, tx: Transaction, known: Mapping[UUID, Case], reports: Iterable[CaseSubmitted]) -> Sitting:
    """Make ready to decide: read the clock, and the keys of the persons whose reports may have to be opened."""
    wanted = [report.person_id for report in reports if report.person_id is not None]
    people = People(await desk.vault.load(tx, wanted) if wanted else {})
    return Sitting(tx, known, people, Circumstances(desk.city, await desk.clock(tx), people.unseal))


async def conclude(sitting: Sitting, outcomes: Sequence[Turn | Refusal]) -> None:
    """Keep what was decided, and queue what is to be said about it."""
    turns = [outcome for outcome in outcomes if isinstance(outcome, Turn)]
    await save(sitting.tx, sitting.known, turns, sitting.people.seal)
    await outbox.add(
        sitting.tx,
        [
            Announcement(said.topic, said.event, outcome.prompt.cause, outcome.prompt.traceparent)
            for outcome in outcomes
            for said in outcome.said
        ],
    )
