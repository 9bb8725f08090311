"""What every decision of routing stands on, and how its outcome is kept and said."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.routing.domain.case import Case
from services.routing.domain.circumstances import Circumstances
from services.routing.domain.hearing import Refusal
from services.routing.domain.placing import City
from services.routing.domain.turn import Turn
from services.routing.people import People, SealTo, sealing_to_nobody
from services.routing.store.disclosures import mark_recalled
from services.routing.store.locking import read_clock
from services.routing.store.saving import save
from shared.events.intake import CaseSubmitted
from shared.kit import consents, outbox
from shared.kit.database import Transaction
from shared.kit.outbox import Announcement
from shared.kit.vault import Vault

DatabaseClock = Callable[[Transaction], Awaitable[datetime]]
"""Tells the time inside a transaction."""

Check = Callable[[], None]
"""Lets somebody decide, or raises UnavailableError."""


def nothing_to_check() -> None:
    """Let everybody decide."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The city, the keys of persons and agencies, and the clock: the database's, which all instances share.

    `check` is asked before anything is decided.
    """

    city: City
    vault: Vault
    clock: DatabaseClock = read_clock
    seal_to: SealTo = sealing_to_nobody
    check: Check = nothing_to_check


@dataclass(frozen=True, slots=True)
class Sitting:
    """One transaction's worth of deciding: the cases as they were locked, and the circumstances."""

    tx: Transaction
    known: Mapping[UUID, Case]
    people: People
    around: Circumstances


async def sit(desk: Desk, tx: Transaction, known: Mapping[UUID, Case], reports: Iterable[CaseSubmitted]) -> Sitting:
    """Make ready to decide about these reports: hold their consents as they are, read the keys of their persons.

    The clock is read last: a consent that is held and has not ended by then has not ended before.

    Raises:
        UnavailableError: what would be decided by is not on record.
    """
    desk.check()
    reports = tuple(reports)
    wanted = [report.person_id for report in reports if report.person_id is not None]
    people = People(await desk.vault.load(tx, wanted) if wanted else {}, desk.seal_to)
    held = await consents.lock_and_list(tx, [report.case_id for report in reports]) if reports else {}
    return Sitting(tx, known, people, Circumstances(desk.city, await desk.clock(tx), people, held))


async def conclude(sitting: Sitting, outcomes: Sequence[Turn | Refusal]) -> None:
    """Keep what was decided, and queue what is to be said about it."""
    turns = [outcome for outcome in outcomes if isinstance(outcome, Turn)]
    await save(sitting.tx, sitting.known, turns, sitting.people.seal)
    await mark_recalled(sitting.tx, [consent_id for turn in turns for consent_id in turn.recalled])
    await outbox.add(
        sitting.tx,
        [
            Announcement(
                said.topic, said.event, outcome.prompt.cause, outcome.prompt.traceparent, said.guards, said.text
            )
            for outcome in outcomes
            for said in outcome.said
        ],
    )
