"""Builds the events of one case on all topics, as the services publish them."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from shared.events import agency_updates, intake, notifications, referrals, routing
from shared.events.event import Event
from shared.events.reasons import OUTSIDE_AGENCY_CONTROL, Reason
from shared.events.topics import AGENCY_UPDATES, CASES, DELIVERIES, REFERRALS
from shared.events.wire import Envelope, event_id

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = UUID("8a0f3a52-5a86-4f0c-9d32-5a8f2f4f6f10")
SOURCES = {
    CASES.topic: "/services/intake",
    REFERRALS.topic: "/services/routing",
    DELIVERIES.topic: "/services/notifications",
}
AGENCIES = ("hpd", "dohmh", "nypd")
NEEDS = ("inadequate-housing", "environmental-health", "noise")


@lru_cache(maxsize=1 << 15)
def _named(space: UUID, what: str) -> UUID:
    """Return an id for a name; the tests build the same few hundred cases many times."""
    return uuid5(space, what)


@dataclass(frozen=True)
class TopicEvent:
    """One event on its topic."""

    topic: str
    envelope: Envelope
    event: Event


@dataclass
class CaseEvents:
    """Builds the events of one case, step by step; `wait` moves the time."""

    number: int
    now: datetime = START
    traceparent: str | None = None
    events: list[TopicEvent] = field(default_factory=list)

    @property
    def case_id(self) -> UUID:
        return _named(NAMES, f"case {self.number}")

    @property
    def service_request_id(self) -> str:
        return f"26-{self.number:08}"

    def name(self, what: str) -> UUID:
        return _named(self.case_id, what)

    def wait(self, **time: float) -> "CaseEvents":
        self.now += timedelta(**time)
        return self

    def publish(self, topic: str, event: Event, cause: UUID | None = None) -> "CaseEvents":
        """Publish an event on a topic, numbered as the outbox numbers it."""
        cause = cause or (self.events[-1].envelope.id if self.events else self.name("request"))
        numbered = topic in SOURCES
        envelope = Envelope(
            id=event_id(cause, topic, event),
            type=event.type,
            source=SOURCES.get(topic) or "/agencies/" + topic.split(".")[1],
            subject=str(self.case_id),
            time=event.happened_at,
            sequence=sum(1 for one in self.events if one.topic == topic) + 1 if numbered else 0,
            causation_id=cause if self.events else None,
            classification=event.classification,
            traceparent=self.traceparent,
        )
        self.events.append(TopicEvent(topic, envelope, event))
        return self

    def file(self, needs: tuple[str, ...] = NEEDS[:1], **more: Any) -> "CaseEvents":
        usual = {
            "service_request_id": self.service_request_id,
            "service_code": "heat-hot-water",
            "needs": tuple(intake.Need(need_id=self.name(need), need=need) for need in needs),
            "place": intake.Place(district="bronx"),
            "origin": intake.Origin(channel="api"),
            "submitted_at": self.now,
        }
        return self.publish(CASES.topic, intake.CaseSubmitted(case_id=self.case_id, **(usual | more)))

    @property
    def filed_at(self) -> datetime:
        return next(one.event.submitted_at for one in self.events if isinstance(one.event, intake.CaseSubmitted))

    def route(
        self, agencies: dict[str, str], unrouted: tuple[str, ...] = (), *, record_only: bool = False
    ) -> "CaseEvents":
        """Route each need to its agency."""
        routed = tuple(
            routing.RoutedNeed(
                need_id=self.name(need), need=need, referral_id=self.name(need + agency), agency=agency, program="first"
            )
            for need, agency in agencies.items()
        )
        event = routing.CaseRouted(
            case_id=self.case_id,
            routed=routed,
            unrouted=tuple(self.name(need) for need in unrouted),
            submitted_at=self.filed_at,
            routed_at=self.now,
            record_only=record_only,
        )
        self.publish(REFERRALS.topic, event)
        for need, agency in agencies.items():
            self.refer(referrals.ReferralRequested, need, agency, record_only=record_only)
        for need in unrouted:
            self.give_up(need)
        return self

    def give_up(self, need: str) -> "CaseEvents":
        event = routing.CaseUnroutable(
            case_id=self.case_id,
            need_id=self.name(need),
            need=need,
            reason=Reason.NO_PROGRAM,
            submitted_at=self.filed_at,
            unroutable_at=self.now,
        )
        return self.publish(REFERRALS.topic, event)

    def refer(self, kind: type[referrals.ReferralEvent], need: str, agency: str, **more: Any) -> "CaseEvents":
        """Publish an event of the referral of this need to this agency."""
        event = kind(
            case_id=self.case_id,
            referral_id=self.name(need + agency),
            need_id=self.name(need),
            need=need,
            agency=agency,
            program="first",
            submitted_at=self.filed_at,
            occurred_at=more.pop("at", self.now),
            **more,
        )
        return self.publish(REFERRALS.topic, event)

    def hold(self, need: str, agency: str, reason: Reason) -> "CaseEvents":
        more = {"reason": reason, "agency_controls": reason not in OUTSIDE_AGENCY_CONTROL}
        return self.refer(referrals.ReferralHeld, need, agency, **more)

    def answer(self, need: str, agency: str, explanation: str = "The tenant is away") -> "CaseEvents":
        """Publish the agency's own update that it waits, with a text that no service may store."""
        event = agency_updates.ReferralHeld(
            case_id=self.case_id,
            referral_id=self.name(need + agency),
            occurred_at=self.now,
            reason=Reason.NO_ACCESS,
            explanation=explanation,
        )
        return self.publish(AGENCY_UPDATES.topic.format(agency=agency), event)

    def resolve(self, resolution: str = "completed", *, record_only: bool = False) -> "CaseEvents":
        event = routing.CaseResolved(
            case_id=self.case_id,
            resolution=resolution,
            submitted_at=self.filed_at,
            resolved_at=self.now,
            record_only=record_only,
        )
        return self.publish(REFERRALS.topic, event)

    def notify(self, what: str = "sent") -> "CaseEvents":
        more = {"case_id": self.case_id, "delivery_id": self.name(f"mail {len(self.events)}"), "template": "received"}
        kinds: dict[str, Event] = {
            "sent": notifications.NotificationSent(**more, occurred_at=self.now),
            "failed": notifications.NotificationFailed(**more, occurred_at=self.now, failure="refused"),
            "uncertain": notifications.NotificationFailed(**more, occurred_at=self.now, failure="uncertain"),
            "suppressed": notifications.NotificationSuppressed(**more, occurred_at=self.now, why="no-address"),
        }
        return self.publish(DELIVERIES.topic, kinds[what])


def random_case(number: int, seed: int) -> CaseEvents:
    """Build a random case, clocks that run backwards included; the same seed builds the same case."""
    chance = random.Random(seed)
    case = CaseEvents(number, now=START + timedelta(minutes=chance.randrange(60 * 24 * 21)))
    needs = tuple(chance.sample(NEEDS, chance.randint(1, 3)))
    case.file(needs, place=intake.Place(district=chance.choice(("bronx", "queens", None))))
    case.notify(chance.choice(("sent", "failed", "uncertain", "suppressed"))).wait(seconds=chance.random())
    placed = {need: chance.choice(AGENCIES) for need in needs if chance.random() < 0.9}
    case.route(placed, tuple(need for need in needs if need not in placed))
    outcomes = [_work(case, chance, need, agency) for need, agency in placed.items()]
    if all(outcomes) and len(placed) == len(needs):
        case.resolve()
    return case


def _work(case: CaseEvents, chance: random.Random, need: str, agency: str) -> bool:
    """Let the agency work on one need; return whether it ended."""
    case.wait(minutes=chance.randint(-2, 600))
    if chance.random() < 0.1:
        case.refer(referrals.ReferralOverdue, need, agency, answer_by=case.now)
    if chance.random() < 0.15:
        case.refer(referrals.ReferralRejected, need, agency, reason=Reason.NO_CAPACITY).give_up(need)
        return False
    case.refer(referrals.ReferralAccepted, need, agency).wait(minutes=chance.randint(0, 90))
    if chance.random() < 0.2:
        return False
    case.refer(referrals.ReferralStarted, need, agency).wait(minutes=chance.randint(0, 90))
    for _ in range(chance.choice((0, 0, 1, 2))):
        case.answer(need, agency).hold(need, agency, chance.choice(list(Reason))).wait(minutes=chance.randint(0, 300))
        case.refer(referrals.ReferralResumed, need, agency).wait(minutes=5)
    if chance.random() < 0.3:
        case.refer(referrals.ReferralFailed, need, agency, reason=Reason.OTHER)
    else:
        case.refer(referrals.ReferralCompleted, need, agency)
    return True
