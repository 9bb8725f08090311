"""What routing's events mean to a resident: a line in the history, who has the case now, whether it is closed."""

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
"""The type of note, as Chicago's extension of Open311 knows it; every other kind is an activity."""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One event about a case, with its id and its place among the case's events in the topic."""

    event_id: UUID
    sequence: int
    event: Any


@dataclass(frozen=True, slots=True)
class NewNote:
    """A line for the history of a case."""

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
    """Where one referral stands, as of one event."""

    referral_id: UUID
    case_id: UUID
    need: str
    agency: str
    state: str
    sequence: int


@dataclass(frozen=True, slots=True)
class CaseChange:
    """What has become of one case: when it last changed and, where it is resolved, how and when."""

    case_id: UUID
    changed_at: datetime
    resolution: str | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseProgress:
    """Everything that a batch of events changes."""

    notes: tuple[NewNote, ...]
    handovers: tuple[ReferralState, ...]
    changes: tuple[CaseChange, ...]


def project_progress(heard: Iterable[CaseEvent]) -> CaseProgress:
    """Work out what a batch changes; of several events on one referral or case the latest counts."""
    notes: list[NewNote] = []
    handovers: dict[UUID, ReferralState] = {}
    changes: dict[UUID, CaseChange] = {}
    for said in heard:
        note = note_of(said)
        handover = referral_state_of(said)
        if note:
            notes.append(note)
            changes[note.case_id] = _change(changes.get(note.case_id), note.happened_at, said.event)
        if handover:
            known = handovers.get(handover.referral_id, handover)
            handovers[handover.referral_id] = max(known, handover, key=lambda each: each.sequence)
    return CaseProgress(tuple(notes), tuple(handovers.values()), tuple(changes.values()))


def note_of(heard: CaseEvent) -> NewNote | None:
    """Return the line that an event adds to the history; None for what a resident need not know."""
    event = heard.event
    about = {"event_id": heard.event_id, "case_id": event.case_id, "sequence": heard.sequence}
    about |= {"happened_at": event.happened_at}
    if isinstance(event, CaseResolved):
        return NewNote(**about, kind=f"closed-{event.resolution}")
    if isinstance(event, CaseUnroutable):
        return NewNote(**about, kind="unroutable", need=event.need)
    if isinstance(event, ReferralEvent):
        reason = getattr(event, "reason", None)
        about |= {"referral_id": event.referral_id, "need": event.need, "agency": event.agency, "reason": reason}
        return NewNote(**about, kind=_verb(event))
    return None


def referral_state_of(heard: CaseEvent) -> ReferralState | None:
    """Return where a referral stands after an event; None where the event changes no referral's state."""
    event = heard.event
    state = STATE_AFTER.get(_verb(event)) if isinstance(event, ReferralEvent) else None
    if state is None:
        return None
    return ReferralState(event.referral_id, event.case_id, event.need, event.agency, state, heard.sequence)


def _verb(event: ReferralEvent) -> str:
    return event.type.split(".")[1]


def _change(before: CaseChange | None, moment: datetime, event: object) -> CaseChange:
    latest = max(before.changed_at, moment) if before else moment
    case_id = event.case_id  # type: ignore[attr-defined]
    if isinstance(event, CaseResolved):
        return CaseChange(case_id, latest, event.resolution, event.resolved_at)
    return CaseChange(case_id, latest, before.resolution, before.resolved_at) if before else CaseChange(case_id, latest)
