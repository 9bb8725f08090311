"""The decision about one case: what it depends on, what its steps are, and the value that holds the result.

A function that decides one thing returns it: a `ReferralChange`, a `Disclosure`, an `OutgoingEvent`. Functions that
decide several return them as a list of `Step`s, in the order in which their events are published. A `DecisionBuilder`
collects the steps of one cause into a `CaseDecision`; only the function that made the builder adds to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from services.routing.domain.case import CaseState, Resolution, TriageEntry
from services.routing.domain.city import CaseSnapshot, PlacementQuery, RoutingCity
from services.routing.domain.referral import Referral, Transition
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need
from shared.events.reasons import Reason
from shared.events.topics import REFERRALS, inbox_topic
from shared.policy.consent import Consent
from shared.policy.receipts import Receipt


class Keyring(Protocol):
    """The keys of the persons and agencies that a decision is about."""

    def unseal(self, report: CaseSubmitted, group: FieldGroup) -> bytes | None:
        """Decrypt one field group of a report; None when its person was erased."""

    def encrypt_to(self, agency: str, plain: bytes) -> str:
        """Encrypt to an agency's public key, as a JWE."""

    def digest(self, report: CaseSubmitted, sent: bytes) -> bytes:
        """Return a keyed digest of what was sent, which cannot be guessed without the person's key."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """What every decision of one transaction depends on beside the case."""

    city: RoutingCity
    now: datetime
    keys: Keyring
    consents: Mapping[UUID, Sequence[Consent]] = field(default_factory=dict)
    """The consents of each case, live or not; they stay as they are until the transaction ends."""

    def query(self, case: CaseState, need: Need) -> PlacementQuery:
        """Return the query that places one need of a case now."""
        consents = tuple(self.consents.get(case.report.case_id, ()))
        holders = frozenset([referral.agency for referral in case.referrals.values()])
        return self.city.query(case.report, need.need, CaseSnapshot(self.now, consents, holders))

    def is_suppressed(self, report: CaseSubmitted) -> bool:
        """Tell whether no agency and no other service may learn of a case: it is protected and has no live consent."""
        if FieldGroup.VICTIM_SERVICES not in self.city.protections_of(report):
            return False
        return not any(consent.live(self.now) for consent in self.consents.get(report.case_id, ()))

    def without_consent(self, case_id: UUID, consent_id: UUID) -> "DecisionContext":
        """Return the context as if one consent of a case had never been given."""
        left = [consent for consent in self.consents.get(case_id, ()) if consent.consent_id != consent_id]
        return replace(self, consents={**self.consents, case_id: left})


ROUTING = "routing"
"""Named as the author of a change that no person and no agency asked for."""


class Cause(NamedTuple):
    """What led to a decision: an event that was consumed, a request, a deadline."""

    id: UUID
    """The id of the event, or one derived from the request or deadline. The ids of all that follows derive from it."""
    by: str = ROUTING
    """Who is behind it, for the history: `routing`, `agency:<id>`, or a staff member."""
    traceparent: str | None = None
    text: str = ""
    """The event as JSON, word for word; empty where it is not stored."""


class OutgoingEvent(NamedTuple):
    """One event and the topic to publish it on."""

    topic: str
    event: Event
    required_consents: tuple[UUID, ...] = ()
    """The relay withholds the event once one of these consents is revoked."""
    text: bytes | None = None
    """The event as JSON, where the decision has serialized it already."""


class HistoryEntry(NamedTuple):
    """One line in the history of a referral; `number` counts them from 1. `words` are the agency's own."""

    referral_id: UUID
    number: int
    transition: Transition
    at: datetime
    reason: Reason | None = None
    why: str = ""
    words: str | None = None


class ReferralChange(NamedTuple):
    """A referral, new or as it becomes, with the lines for its history and the events about it, in order."""

    referral: Referral
    history: tuple[HistoryEntry, ...]
    events: tuple[OutgoingEvent, ...]


class TriageChange(NamedTuple):
    """A need enters the triage queue or leaves it, with the events about it."""

    entry: TriageEntry
    events: tuple[OutgoingEvent, ...] = ()


class Disclosure(NamedTuple):
    """One disclosure: its receipt, the consents that it depends on, and the events, in order.

    `consents` has, for each consent, the field groups that were released because of it.
    """

    receipt: Receipt
    consents: Mapping[UUID, tuple[FieldGroup, ...]]
    events: tuple[OutgoingEvent, ...]


class DeniedDisclosure(NamedTuple):
    """An agency that was not asked for help because it may not know of the need; `policies` are the ids that deny."""

    need_id: UUID
    agency: str
    policies: tuple[str, ...]


class ConsentRecall(NamedTuple):
    """What was disclosed under a revoked consent is recalled, with the events about it, in order."""

    consent_id: UUID
    events: tuple[OutgoingEvent, ...]


class ReportErasure(NamedTuple):
    """What is left of a report whose person was erased, with the events about it, in order."""

    report: CaseSubmitted
    events: tuple[OutgoingEvent, ...]


class CaseClosure(NamedTuple):
    """The case ends, with the event about it; none for a suppressed case."""

    resolution: Resolution
    at: datetime
    events: tuple[OutgoingEvent, ...]


Step = (
    OutgoingEvent
    | ReferralChange
    | TriageChange
    | Disclosure
    | DeniedDisclosure
    | ConsentRecall
    | ReportErasure
    | CaseClosure
)
"""One thing that is decided."""


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """All that one cause leads to in one case; nothing of it is stored or published yet."""

    case: CaseState
    """The case after the decision."""
    cause: Cause
    decided_at: datetime
    policy_set: str
    """The hash of the agreements and policies that decided."""
    events: tuple[OutgoingEvent, ...] = ()
    """What is published, in this order."""
    history: tuple[HistoryEntry, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    denials: tuple[DeniedDisclosure, ...] = ()
    recalled_consents: tuple[UUID, ...] = ()


class DecisionBuilder:
    """Collects the steps of one decision. `case` is the case after the steps so far."""

    def __init__(self, case: CaseState, cause: Cause, context: DecisionContext) -> None:
        self.case = case
        self._cause = cause
        self._context = context
        self._events: list[OutgoingEvent] = []
        self._history: list[HistoryEntry] = []
        self._disclosures: list[Disclosure] = []
        self._denials: list[DeniedDisclosure] = []
        self._recalled_consents: list[UUID] = []

    def add(self, *steps: Step) -> None:
        """Add steps, in order."""
        for step in steps:
            match step:
                case ReferralChange():
                    self._history += step.history
                    self.case = self.case.with_referral(step.referral)
                case Disclosure():
                    self._disclosures.append(step)
                case TriageChange():
                    self.case = self.case.with_triage(step.entry)
                case OutgoingEvent():
                    self._events.append(step)
                    continue
                case DeniedDisclosure():
                    self._denials.append(step)
                    continue
                case ConsentRecall():
                    self._recalled_consents.append(step.consent_id)
                case ReportErasure():
                    self.case = self.case.with_report(step.report)
                case CaseClosure():
                    self.case = self.case.with_resolution(step.resolution, step.at)
            self._events += step.events

    def build(self) -> CaseDecision:
        """Return the decision."""
        return CaseDecision(
            case=self.case,
            cause=self._cause,
            decided_at=self._context.now,
            policy_set=self._context.city.policy.hash,
            events=tuple(self._events),
            history=tuple(self._history),
            disclosures=tuple(self._disclosures),
            denials=tuple(self._denials),
            recalled_consents=tuple(self._recalled_consents),
        )


def emit(event: Event) -> OutgoingEvent:
    """Publish an event to the other services."""
    return OutgoingEvent(REFERRALS.topic, event)


def notify_agency(agency: str, event: Event) -> OutgoingEvent:
    """Publish an event to one agency's inbox."""
    return OutgoingEvent(inbox_topic(agency), event)


def referral_facts(case: CaseState, referral: Referral, at: datetime) -> dict[str, Any]:
    """Return the fields that every event about a referral has; `at` is when what it tells happened."""
    return {
        "case_id": case.report.case_id,
        "referral_id": referral.referral_id,
        "need_id": referral.need_id,
        "need": referral.need,
        "agency": referral.agency,
        "program": referral.program,
        "submitted_at": case.report.submitted_at,
        "occurred_at": at,
        "record_only": referral.record_only,
    }
