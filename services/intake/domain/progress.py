"""Projects routing's events onto what residents see: a case's history, its agencies, and whether it is closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.events.referrals import ReferralEvent
from shared.events.routing import CaseResolved, CaseUnroutable

STATE_AFTER = {
    "requested": "requested",
    "accepted": "accepted",
    "rejected": "rejected",
    "started": "in-progress",
    "held": "on-hold",
    "resumed": "in-progress",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "transferred": "transferred",
}
"""The state of a referral after each event that changes it."""

ACTIVE_STATES = ("requested", "accepted", "in-progress", "on-hold")
NOTE_TYPES = {
    "opened": "opened",
    "requested": "follow_on_created",
    "rejected": "follow_on_closed",
    "completed": "follow_on_closed",
    "failed": "follow_on_closed",
    "cancelled": "follow_on_closed",
    "transferred": "follow_on_closed",
    "closed-completed": "closed",
    "closed-not-completed": "closed",
    "closed-withdrawn": "closed",
    "closed-recorded": "closed",
}
"""The type of a note in Chicago's extension of Open311, by its kind; every other kind is an activity."""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event about a case; `sequence` is its number among the case's events in the topic."""

    event_id: UUID
    sequence: int
    event: Any


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note to be added to the history of a case."""

    event_id: UUID
    case_id: UUID
    sequence: int
    happened_at: datetime
    kind: str
    referral_id: UUID | None = None
    need: str | None = None
    agency: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReferralState:
    """The state of one referral after the event with this sequence."""

    referral_id: UUID
    case_id: UUID
    need: str
    agency: str
    state: str
    sequence: int


@dataclass(frozen=True, slots=True)
class CaseChange:
    """When one case last changed and, where it is resolved, how and when."""

    case_id: UUID
    changed_at: datetime
    resolution: str | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseProgress:
    """Everything that a batch of events changes."""

    notes: tuple[NewNote, ...]
    referrals: tuple[ReferralState, ...]
    changes: tuple[CaseChange, ...]


def project_progress(events: Iterable[CaseEvent]) -> CaseProgress:
    """Project a batch of events onto what it changes; of several events on one referral or case the latest counts."""
    notes: list[NewNote] = []
    referrals: dict[UUID, ReferralState] = {}
    changes: dict[UUID, CaseChange] = {}
    for each in events:
        note = note_of(each)
        referral = referral_state_of(each)
        if note:
            notes.append(note)
            changes[note.case_id] = _change(changes.get(note.case_id), note.happened_at, each.event)
        if referral:
            known = referrals.get(referral.referral_id, referral)
            referrals[referral.referral_id] = max(known, referral, key=lambda state: state.sequence)
    return CaseProgress(tuple(notes), tuple(referrals.values()), tuple(changes.values()))


def note_of(event: CaseEvent) -> NewNote | None:
    """Return the note that an event adds to the history; None for an event that residents do not see."""
    content = event.event
    about = {"event_id": event.event_id, "case_id": content.case_id, "sequence": event.sequence}
    about |= {"happened_at": content.happened_at}
    if isinstance(content, CaseResolved):
        return NewNote(**about, kind=f"closed-{content.resolution}")
    if isinstance(content, CaseUnroutable):
        return NewNote(**about, kind="unroutable", need=content.need)
    if isinstance(content, ReferralEvent):
        reason = getattr(content, "reason", None)
        about |= {"referral_id": content.referral_id, "need": content.need, "agency": content.agency, "reason": reason}
        return NewNote(**about, kind=_verb(content))
    return None


def referral_state_of(event: CaseEvent) -> ReferralState | None:
    """Return the state of a referral after an event; None for an event that changes no referral's state."""
    content = event.event
    state = STATE_AFTER.get(_verb(content)) if isinstance(content, ReferralEvent) else None
    if state is None:
        return None
    return ReferralState(content.referral_id, content.case_id, content.need, content.agency, state, event.sequence)


def _verb(event: ReferralEvent) -> str:
    return event.type.split(".")[1]


def _change(before: CaseChange | None, moment: datetime, event: object) -> CaseChange:
    latest = max(before.changed_at, moment) if before else moment
    case_id = event.case_id  # type: ignore[attr-defined]
    if isinstance(event, CaseResolved):
        return CaseChange(case_id, latest, event.resolution, event.resolved_at)
    return CaseChange(case_id, latest, before.resolution, before.resolved_at) if before else CaseChange(case_id, latest)
