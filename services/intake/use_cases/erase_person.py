"""Erases the person of a case: their key is destroyed, so that nothing sealed under it can be opened again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.store import persons
from services.intake.store.persons import DataSubject, Tombstone
from services.intake.use_cases.context import IntakeContext, emit
from shared.events.event import Event
from shared.events.intake import ConsentWithdrawn, PersonErased


@dataclass(frozen=True, slots=True)
class Erasure:
    """The person of a case is erased; `erased_before` tells that an earlier call did it.

    `agencies` have a part in the case and are told of the erasure: none of a case that was never announced.
    """

    case_id: UUID
    erased_at: datetime
    erased_before: bool
    consents_ended: int
    agencies: Sequence[str]


async def erase_person(context: IntakeContext, case: str, traceparent: str) -> Erasure | None:
    """Erase the person of a case, named by its id or number; None for an unknown case.

    One transaction destroys the key, ends the consents and reduces the case to what counts need. When this returns,
    no release that depends on the person can commit any more.
    """
    async with context.database.transaction() as tx:
        case_id = await persons.find_case_id(tx, case)
        subject = await persons.lock_subject(tx, case_id) if case_id else None
        if subject is None:
            return None
        if subject.erased_at is not None:
            return _erasure(subject, subject.erased_at, 0, before=True)
        tombstone = await persons.erase(tx, subject)
        await emit(tx, _events(subject, tombstone), traceparent)
    return _erasure(subject, tombstone.erased_at, len(tombstone.withdrawn), before=False)


def _events(subject: DataSubject, tombstone: Tombstone) -> list[Event]:
    """Return an event for each consent that ended, then the erasure; none for a case that was never announced."""
    if not subject.announced:
        return []
    case_id, person_id = subject.case_id, subject.person_id
    ended = [
        ConsentWithdrawn(case_id=case_id, consent_id=consent_id, occurred_at=moment)
        for consent_id, moment in tombstone.withdrawn
    ]
    return [*ended, PersonErased(case_id=case_id, person_id=person_id, erased_at=tombstone.erased_at)]


def _erasure(subject: DataSubject, erased_at: datetime, consents_ended: int, *, before: bool) -> Erasure:
    agencies = subject.agencies if subject.announced else ()
    return Erasure(subject.case_id, erased_at, before, consents_ended, agencies)
