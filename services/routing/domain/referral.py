"""The states of a referral, and every transition that is allowed (after FHIR Task)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from shared.events.reasons import Reason


class State(StrEnum):
    """The state of a referral; `accepted` is agreed and not started."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Transition(StrEnum):
    """What can happen to a referral; the reminders `overdue` and `escalated` leave its state as it is."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STARTED = "started"
    HELD = "held"
    RESUMED = "resumed"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    OVERDUE = "overdue"
    ESCALATED = "escalated"


ALLOWED: Final[Mapping[State, Mapping[Transition, State]]] = {
    State.REQUESTED: {
        Transition.ACCEPTED: State.ACCEPTED,
        Transition.REJECTED: State.REJECTED,
        Transition.CANCELLED: State.CANCELLED,
        Transition.TRANSFERRED: State.CANCELLED,
    },
    State.ACCEPTED: {
        Transition.STARTED: State.IN_PROGRESS,
        Transition.CANCELLED: State.CANCELLED,
        Transition.TRANSFERRED: State.CANCELLED,
    },
    State.IN_PROGRESS: {
        Transition.HELD: State.ON_HOLD,
        Transition.COMPLETED: State.COMPLETED,
        Transition.FAILED: State.FAILED,
        Transition.CANCELLED: State.CANCELLED,
        Transition.TRANSFERRED: State.CANCELLED,
    },
    State.ON_HOLD: {
        Transition.RESUMED: State.IN_PROGRESS,
        Transition.CANCELLED: State.CANCELLED,
        Transition.TRANSFERRED: State.CANCELLED,
    },
    State.COMPLETED: {},
    State.REJECTED: {},
    State.FAILED: {},
    State.CANCELLED: {},
}
"""Every allowed transition, by the state that it starts from. The receiving agency makes all of them; routing itself
makes `cancelled` only. A transfer ends the referral as cancelled, and another referral follows."""

OPEN: Final = frozenset(state for state, transitions in ALLOWED.items() if transitions)
"""The states that a referral can still leave."""

REPEATABLE: Final = frozenset({Transition.HELD, Transition.RESUMED})
"""Transitions that can happen again and again, so that only their time tells an old one from a new one."""


class Referral(NamedTuple):
    """A need sent to a program, in its present state. The fields are the columns of its table, in their order.

    `changed_at` is when the last change happened, by the agency's own clock. `changes` counts the lines of its history.
    `due_at` is the deadline at which routing acts if the agency has not answered; `reminders` have been sent so far.
    """

    referral_id: UUID
    need_id: UUID
    need: str
    agency: str
    program: str
    attempt: int
    asked_at: datetime
    changed_at: datetime
    answer_by: datetime | None = None
    due_at: datetime | None = None
    reminders: int = 0
    state: State = State.REQUESTED
    last_change: Transition = Transition.REQUESTED
    reason: Reason | None = None
    changes: int = 1
    record_only: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether its state can still change."""
        return self.state in OPEN

    @property
    def program_name(self) -> str:
        """The name by which routing rules refer to its program: agency/program."""
        return f"{self.agency}/{self.program}"


@dataclass(frozen=True, slots=True)
class ReferralUpdate:
    """What the sender reports to have happened to a referral, at the sender's own time."""

    change: Transition
    at: datetime
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """The update is allowed; this is the referral after it."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Disallowed:
    """The update is not allowed in the referral's state, and changes nothing."""

    explanation: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The update reports the last transition again, and changes nothing."""


def advance(referral: Referral, update: ReferralUpdate) -> Advanced | Disallowed | Repeated:
    """Apply an update to a referral, as `ALLOWED` says."""
    if update.change is referral.last_change and update.reason == referral.reason:
        return Repeated()
    state = ALLOWED[referral.state].get(update.change)
    if state is None:
        return Disallowed(_explain(referral.state, update.change))
    if update.change in REPEATABLE and update.at < referral.changed_at:
        return Disallowed(f"this '{update.change}' is older than the last change of the referral")
    advanced = referral._replace(
        state=state,
        last_change=update.change,
        reason=update.reason,
        changed_at=update.at,
        due_at=None,
        changes=referral.changes + 1,
    )
    return Advanced(advanced)


def _explain(state: State, change: Transition) -> str:
    possible = ", ".join(ALLOWED[state]) or "nothing"
    return f"a referral that is {state} cannot be {change}; it can be: {possible}"
