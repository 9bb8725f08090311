"""The outcomes of an attempt to send a mail, and what follows from each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.notifications.domain.deliveries import Delivery, Suppressed
from shared.events.notifications import NotificationEvent, NotificationFailed, NotificationSent, NotificationSuppressed

GIVE_UP_AFTER: Final = timedelta(days=3)
"""How long a mail is deferred before it fails: its text is out of date by then."""

LONGEST_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The mail server has accepted the mail."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The mail server will never accept the mail."""

    problem: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """The mail server has not accepted the mail, and may accept it later."""

    problem: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The connection was lost after the mail was handed over and before the answer."""

    problem: str


SendOutcome = Accepted | Rejected | Deferred | Uncertain


@dataclass(frozen=True, slots=True)
class FinalState:
    """The last state of a mail, and the event that publishes it."""

    state: Literal["sent", "failed", "suppressed", "uncertain"]
    problem: str | None
    event: NotificationEvent


@dataclass(frozen=True, slots=True)
class Retry:
    """The mail is tried again after a wait."""

    wait: timedelta
    problem: str


def decide_state(
    delivery: Delivery, outcome: SendOutcome | Suppressed, first_wait: timedelta, now: datetime
) -> FinalState | Retry:
    """Decide what follows from an outcome.

    A deferred mail is tried again for three days. An uncertain one is not: the mail server may have accepted it, and a
    second mail would be worse than none.
    """
    fields = {
        "case_id": delivery.case_id,
        "delivery_id": delivery.id,
        "template": delivery.template.value,
        "occurred_at": now,
    }
    match outcome:
        case Accepted():
            return FinalState("sent", None, NotificationSent.model_validate(fields))
        case Suppressed(why=why):
            return FinalState("suppressed", why, NotificationSuppressed.model_validate(fields | {"why": why}))
        case Uncertain(problem=problem):
            failed = NotificationFailed.model_validate(fields | {"failure": "uncertain"})
            return FinalState("uncertain", problem, failed)
        case Deferred(problem=problem) if now - delivery.created_at < GIVE_UP_AFTER:
            return Retry(retry_wait(delivery.tries + 1, first_wait), problem)
        case Deferred(problem=problem) | Rejected(problem=problem):
            return FinalState("failed", problem, NotificationFailed.model_validate(fields | {"failure": "refused"}))


def retry_wait(tries: int, first: timedelta) -> timedelta:
    """Return the wait after so many tries (1 or more): doubled each time, at most an hour."""
    doubled: int = 2 ** min(tries - 1, 12)
    return min(LONGEST_WAIT, first * doubled)
