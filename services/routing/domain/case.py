"""One case as routing knows it: the report, and what became of each of its needs."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.routing.domain.referral import OPEN, Referral, State
from shared.events.intake import CaseSubmitted, Need
from shared.events.reasons import Reason


class Resolution(StrEnum):
    """How a case ended."""

    COMPLETED = "completed"
    NOT_COMPLETED = "not-completed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class TriageEntry:
    """A need at the triage desk, where a person chooses; `ended_by` has chosen, `assigned_to` is what they chose."""

    need: Need
    since: datetime
    reason: Reason
    why: str
    ended_by: str | None = None
    assigned_to: str | None = None


@dataclass(slots=True)
class CaseState:
    """A case in the course of a decision, which works on a copy of its own.

    `text` is the report word for word as intake said it, with whatever a later version of routing may want to know.
    """

    report: CaseSubmitted
    text: str
    referrals: dict[UUID, Referral] = field(default_factory=dict)
    waiting: dict[UUID, TriageEntry] = field(default_factory=dict)
    resolution: Resolution | None = None
    resolved_at: datetime | None = None

    def copy(self) -> "CaseState":
        """Return a case that can change while this one stays."""
        return CaseState(
            self.report, self.text, dict(self.referrals), dict(self.waiting), self.resolution, self.resolved_at
        )

    def need(self, need_id: UUID) -> Need:
        """Return one of its needs.

        Raises:
            LookupError: it has no such need.
        """
        for need in self.report.needs:
            if need.need_id == need_id:
                return need
        raise LookupError(f"case {self.report.case_id} has no need {need_id}")

    def tries(self, need_id: UUID) -> list[Referral]:
        """Return the referrals of one need, in the order in which they were made."""
        return [referral for referral in self.referrals.values() if referral.need_id == need_id]

    def open_referrals(self) -> list[Referral]:
        """Return the referrals that something can still happen to."""
        return [referral for referral in self.referrals.values() if referral.is_open]

    def is_waiting(self, need_id: UUID) -> bool:
        """Tell whether a need is at the triage desk."""
        waiting = self.waiting.get(need_id)
        return waiting is not None and waiting.ended_by is None

    def has_ended(self) -> bool:
        """Tell whether nothing is left to do: no open referral, nothing at the triage desk, nothing kept quiet."""
        if self.open_referrals() or any(self.is_waiting(need_id) for need_id in self.waiting):
            return False
        return all(self.tries(need.need_id) or need.need_id in self.waiting for need in self.report.needs)

    def resting(self) -> list[Need]:
        """Return the needs that nobody works on, that were not met, and that no person has to choose for."""
        states = (State.COMPLETED, *OPEN)
        busy = {referral.need_id for referral in self.referrals.values() if referral.state in states}
        return [need for need in self.report.needs if need.need_id not in busy and not self.is_waiting(need.need_id)]

    def outcome(self) -> Resolution:
        """Say how an ended case ended: completed when each of its needs was met."""
        met = {referral.need_id for referral in self.referrals.values() if referral.state is State.COMPLETED}
        return Resolution.COMPLETED if all(n.need_id in met for n in self.report.needs) else Resolution.NOT_COMPLETED
