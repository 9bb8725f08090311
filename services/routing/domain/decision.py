"""One thing that happens to one case, and what follows: the case as it becomes, what is said, what is noted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from services.routing.domain.case import CaseState, TriageEntry
from services.routing.domain.placement import CaseSnapshot, PlacementQuery, RoutingCity, Unplaced
from services.routing.domain.referral import Referral, Transition
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need
from shared.events.reasons import Reason
from shared.events.routing import CaseResolved, CaseUnroutable
from shared.events.topics import REFERRALS, inbox_topic
from shared.policy.consent import Consent
from shared.policy.receipts import Receipt


class Keyring(Protocol):
    """Opens, seals and fingerprints for the persons and agencies that a decision is about."""

    def unseal(self, report: CaseSubmitted, group: FieldGroup) -> bytes | None:
        """Open one group of a report; None when nobody can."""

    def seal_to(self, agency: str, plain: bytes) -> str:
        """Encrypt something to an agency's own key, as a JWE."""

    def digest(self, report: CaseSubmitted, sent: bytes) -> bytes:
        """Return a digest of what was sent that nobody can guess at without the person's key."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """What a decision is made under: the city, the present moment, keys, and the consents of the cases."""

    city: RoutingCity
    now: datetime
    keys: Keyring
    consents: Mapping[UUID, Sequence[Consent]] = field(default_factory=dict)


def asking(case: CaseState, need: Need, around: DecisionContext) -> PlacementQuery:
    """Return what the routing book and the policy are asked about one need of a case."""
    consents = tuple(around.consents.get(case.report.case_id, ()))
    holders = frozenset([referral.agency for referral in case.referrals.values()])
    return around.city.asking(case.report, need.need, CaseSnapshot(around.now, consents, holders))


ROUTING = "routing"
"""Who is noted for what nobody but routing did."""


class Cause(NamedTuple):
    """What set something off: the id of the event that did, who is behind it, its trace, and its own text."""

    cause: UUID
    by: str = ROUTING
    traceparent: str | None = None
    text: str = ""


class OutgoingEvent(NamedTuple):
    """One event, and the topic that it is said on; it is not said any more once a consent among `guards` has fallen.

    `text` is the event as JSON, where that was needed before.
    """

    topic: str
    event: Event
    guards: tuple[UUID, ...] = ()
    text: bytes | None = None


class HistoryEntry(NamedTuple):
    """One line in the history of a referral; `number` counts them from 1. `words` are the agency's own."""

    referral: Referral
    number: int
    change: Transition
    at: datetime
    reason: Reason | None = None
    why: str = ""
    words: str | None = None


class Disclosure(NamedTuple):
    """One disclosure: its receipt, and the consents that it stands on, each with the groups for which it is needed."""

    receipt: Receipt
    consents: Mapping[UUID, tuple[FieldGroup, ...]]


class DeniedDisclosure(NamedTuple):
    """An agency that would have been asked, had it been allowed to know; `by` are the policies that decided."""

    need_id: UUID
    agency: str
    by: tuple[str, ...]


@dataclass(slots=True)
class CaseDecision:
    """What is being worked out; a decision makes one, and nobody changes it afterwards.

    `recalled` are the consents under which nothing is given any more, and what was given has been recalled.
    """

    case: CaseState
    around: DecisionContext
    prompt: Cause
    said: list[OutgoingEvent] = field(default_factory=list)
    noted: list[HistoryEntry] = field(default_factory=list)
    given: list[Disclosure] = field(default_factory=list)
    barred: list[DeniedDisclosure] = field(default_factory=list)
    recalled: list[UUID] = field(default_factory=list)

    @classmethod
    def on(cls, case: CaseState, around: DecisionContext, prompt: Cause) -> "CaseDecision":
        """Begin a turn on a copy of the case."""
        return cls(case.copy(), around, prompt)

    @property
    def report(self) -> CaseSubmitted:
        """What the case was opened with."""
        return self.case.report

    def say(self, event: Event) -> None:
        """Tell the other services."""
        self.said.append(OutgoingEvent(REFERRALS.topic, event))

    @property
    def is_silent(self) -> bool:
        """Tell whether there must be no sign of the case: it needs a consent to be spoken of, and there is none."""
        if FieldGroup.VICTIM_SERVICES not in self.around.city.protections_of(self.report):
            return False
        consents = self.around.consents.get(self.report.case_id, ())
        return not any(consent.live(self.around.now) for consent in consents)

    def asking(self, need: Need) -> PlacementQuery:
        """Return what the routing book and the policy are asked about one need."""
        return asking(self.case, need, self.around)

    def bar(self, need: Need, agencies: Sequence[str]) -> None:
        """Note which agencies were not asked because they may not know of the need."""
        asked = self.asking(need) if agencies else None
        for agency in dict.fromkeys(agencies):
            if asked is not None:
                verdict = self.around.city.plan(agency, asked).verdicts[FieldGroup.NEED]
                by = verdict.withheld_by if self.around.city.lists(asked.service) else ("unknown-service",)
                self.barred.append(DeniedDisclosure(need.need_id, agency, by))

    def tell(self, agency: str, event: Event) -> None:
        """Tell one agency."""
        self.said.append(OutgoingEvent(inbox_topic(agency), event))

    def keep(self, referral: Referral) -> None:
        """Replace a referral by what it is now, or add a new one."""
        self.case.referrals[referral.referral_id] = referral

    def note(self, noted: HistoryEntry) -> None:
        """Write a line in the history of a referral."""
        self.noted.append(noted)


def facts(turn: CaseDecision, referral: Referral, at: datetime) -> dict[str, Any]:
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


def add_to_triage(turn: CaseDecision, need: Need, unplaced: Unplaced) -> None:
    """Leave the choice to a person; a case that nobody may know of rests until the person who reported it consents."""
    turn.bar(need, unplaced.refused)
    if turn.is_silent:
        return
    now = turn.around.now
    turn.case.waiting[need.need_id] = TriageEntry(need, now, unplaced.reason, unplaced.why)
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


def resolve_if_ended(turn: CaseDecision, at: datetime, *, record_only: bool = False) -> None:
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
