"""What a mail server's answer means for a mail, and what is said about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.notifications.domain.deliveries import Delivery, Suppressed
from shared.events.notifications import NotificationEvent, NotificationFailed, NotificationSent, NotificationSuppressed

GIVE_UP_AFTER: Final = timedelta(days=3)
"""A mail that no server would take for so long is not news any more."""

LONGEST_WAIT: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has taken the mail."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take this mail."""

    problem: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """The server has not taken the mail, and may later."""

    problem: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The connection was lost after the mail was handed over and before the answer."""

    problem: str


Outcome = Taken | Refused | Postponed | Unknown


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more is done about this mail, and that is said."""

    state: Literal["sent", "failed", "suppressed", "uncertain"]
    problem: str | None
    event: NotificationEvent


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The mail is tried again after a wait."""

    wait: timedelta
    problem: str


def conclude(
    delivery: Delivery, outcome: Outcome | Suppressed, first_wait: timedelta, now: datetime
) -> Ended | TryAgain:
    """Decide what becomes of a mail: a postponed one is tried for three days, an unknown one never again."""
    told = _about(delivery) | {"occurred_at": now}
    match outcome:
        case Taken():
            return Ended("sent", None, NotificationSent.model_validate(told))
        case Suppressed(why=why):
            return Ended("suppressed", why, NotificationSuppressed.model_validate(told | {"why": why}))
        case Unknown(problem=problem):
            return Ended("uncertain", problem, NotificationFailed.model_validate(told | {"failure": "uncertain"}))
        case Postponed(problem=problem) if now - delivery.created_at < GIVE_UP_AFTER:
            return TryAgain(wait_before(delivery.tries + 1, first_wait), problem)
        case Postponed(problem=problem) | Refused(problem=problem):
            return Ended("failed", problem, NotificationFailed.model_validate(told | {"failure": "refused"}))


def _about(delivery: Delivery) -> dict[str, object]:
    return {"case_id": delivery.case_id, "delivery_id": delivery.id, "template": delivery.template.value}


def wait_before(tries: int, first: timedelta) -> timedelta:
    """Return how long to wait after so many tries (1 or more): doubling from the first, an hour at most."""
    doubled: int = 2 ** min(tries - 1, 12)
    return min(LONGEST_WAIT, first * doubled)
