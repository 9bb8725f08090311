"""One thing that happens to one case, and what follows: the case as it becomes, what is said, what is noted."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.routing.domain.case import Case, Waiting
from services.routing.domain.placing import City, Unplaced
from services.routing.domain.referral import Change, Referral
from shared.events.event import Event
from shared.events.intake import CaseSubmitted, Need
from shared.events.reasons import Reason
from shared.events.routing import CaseResolved, CaseUnroutable
from shared.events.topics import REFERRALS, inbox_topic
from shared.policy.release import Unseal

ROUTING = "routing"
"""Who is noted for what nobody but routing did."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision is made under: the city, the present moment, and a way to open sealed groups."""

    city: City
    now: datetime
    unseal: Unseal


class Prompt(NamedTuple):
    """What set something off: the id of the event that did, who is behind it, its trace, and its own text."""

    cause: UUID
    by: str = ROUTING
    traceparent: str | None = None
    text: str = ""


class Said(NamedTuple):
    """One event, and the topic that it is said on."""

    topic: str
    event: Event


class Noted(NamedTuple):
    """One line in the history of a referral; `number` counts them from 1. `words` are the agency's own."""

    referral: Referral
    number: int
    change: Change
    at: datetime
    reason: Reason | None = None
    why: str = ""
    words: str | None = None


@dataclass(slots=True)
class Turn:
    """What is being worked out; a decision makes one, and nobody changes it afterwards."""

    case: Case
    around: Circumstances
    prompt: Prompt
    said: list[Said] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)

    @classmethod
    def on(cls, case: Case, around: Circumstances, prompt: Prompt) -> "Turn":
        """Begin a turn on a copy of the case."""
        return cls(case.copy(), around, prompt)

    @property
    def report(self) -> CaseSubmitted:
        """What the case was opened with."""
        return self.case.report

    def say(self, event: Event) -> None:
        """Tell the other services."""
        self.said.append(Said(REFERRALS.topic, event))

    def tell(self, agency: str, event: Event) -> None:
        """Tell one agency."""
        self.said.append(Said(inbox_topic(agency), event))

    def keep(self, referral: Referral) -> None:
        """Replace a referral by what it is now, or add a new one."""
        self.case.referrals[referral.referral_id] = referral

    def note(self, noted: Noted) -> None:
        """Write a line in the history of a referral."""
        self.noted.append(noted)


def facts(turn: Turn, referral: Referral, at: datetime) -> dict[str, Any]:
    """Return what every event about a referral says."""
    return {
        "case_id": turn.report.case_id,
        "referral_id": referral.referral_id,
        "need_id": referral.need_id,
        "need": referral.need,
        "agency": referral.agency,
        "program": referral.program,
        "submitted_at": turn.report.submitted_at,
        "occurred_at": at,
        "record_only": referral.record_only,
    }


def give_to_triage(turn: Turn, need: Need, unplaced: Unplaced) -> None:
    """Leave the choice to a person."""
    now = turn.around.now
    turn.case.waiting[need.need_id] = Waiting(need, now, unplaced.reason, unplaced.why)
    turn.say(
        CaseUnroutable(
            case_id=turn.report.case_id,
            need_id=need.need_id,
            need=need.need,
            reason=unplaced.reason,
            submitted_at=turn.report.submitted_at,
            unroutable_at=now,
        )
    )


def resolve_if_ended(turn: Turn, at: datetime, *, record_only: bool = False) -> None:
    """Say so when nothing is left to do; `at` is when the last need ended."""
    case = turn.case
    if case.resolution is not None or not case.has_ended():
        return
    case.resolution = case.outcome()
    case.resolved_at = at
    turn.say(
        CaseResolved(
            case_id=turn.report.case_id,
            resolution=case.resolution.value,
            submitted_at=turn.report.submitted_at,
            resolved_at=at,
            record_only=record_only,
        )
    )
