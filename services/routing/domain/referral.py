"""The states of a referral, and every change that is allowed (after FHIR Task)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from shared.events.reasons import Reason


class State(StrEnum):
    """Where a referral is; `accepted` is agreed and not started."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Transition(StrEnum):
    """What can happen to a referral; the reminders leave its state as it is."""

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
"""Every allowed change, by the state that it starts from. All of them are the receiving agency's to make; routing makes
`cancelled` only. A transfer ends the referral as cancelled, and another one follows."""

OPEN: Final = frozenset(state for state, changes in ALLOWED.items() if changes)
"""The states that a referral can still leave."""

REPEATABLE: Final = frozenset({Transition.HELD, Transition.RESUMED})
"""Changes that can happen again and again, so that only their time tells an old one from a new one."""


class Referral(NamedTuple):
    """One need at one program, as it stands: a row of its table, in the order of the columns.

    `changed_at` is the agency's own time of the last change, `changes` counts what was noted about it so far, and
    `due_at` is when routing looks at it again because nobody has answered (`reminders` were sent by then).
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
        """Tell whether something can still happen to it."""
        return self.state in OPEN

    @property
    def program_name(self) -> str:
        """How the routing book writes its program."""
        return f"{self.agency}/{self.program}"


@dataclass(frozen=True, slots=True)
class ReferralUpdate:
    """What somebody says has happened to a referral, at their own time."""

    change: Transition
    at: datetime
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """The update was applied; this is the referral now."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Disallowed:
    """The update does not fit, and changes nothing."""

    explanation: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The update said what is already so, and changes nothing."""


def advance(referral: Referral, update: ReferralUpdate) -> Advanced | Disallowed | Repeated:
    """Apply an update to a referral, as the table allows it."""
    if update.change is referral.last_change and update.reason == referral.reason:
        return Repeated()
    state = ALLOWED[referral.state].get(update.change)
    if state is None:
        return Disallowed(_explain(referral.state, update.change))
    if update.change in REPEATABLE and update.at < referral.changed_at:
        return Disallowed(f"this '{update.change}' is older than the last change of the referral")
    moved = referral._replace(
        state=state,
        last_change=update.change,
        reason=update.reason,
        changed_at=update.at,
        due_at=None,
        changes=referral.changes + 1,
    )
    return Advanced(moved)


def _explain(state: State, change: Transition) -> str:
    possible = ", ".join(ALLOWED[state]) or "nothing"
    return f"a referral that is {state} cannot be {change}; it can be: {possible}"
