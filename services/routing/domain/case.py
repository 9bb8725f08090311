"""One case as routing knows it: the report, the referrals of its needs, and the needs in the triage queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """A need in the triage queue, since when, and why no program was asked."""

    need: Need
    since: datetime
    reason: Reason
    why: str
    ended_by: str | None = None
    """Who or what took it out of the queue: a staff member, `consent`, or `routing`; None while it is in the queue."""
    assigned_to: str | None = None
    """The program that was chosen, as agency/program; None if none was."""

    @property
    def is_open(self) -> bool:
        """Tell whether a person still has to choose a program."""
        return self.ended_by is None


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case at one moment. It never changes: each `with_` method returns another state."""

    report: CaseSubmitted
    text: str
    """The report as intake published it, byte for byte: it also has the fields that this version does not know."""
    referrals: Mapping[UUID, Referral] = field(default_factory=dict)
    triage: Mapping[UUID, TriageEntry] = field(default_factory=dict)
    """The latest entry of each need that is, or was, in the triage queue."""
    resolution: Resolution | None = None
    resolved_at: datetime | None = None

    def with_referral(self, referral: Referral) -> "CaseState":
        """Return the case with a new referral, or with what one of its referrals has become."""
        referrals = {**self.referrals, referral.referral_id: referral}
        return CaseState(self.report, self.text, referrals, self.triage, self.resolution, self.resolved_at)

    def with_triage(self, entry: TriageEntry) -> "CaseState":
        """Return the case with the latest entry of a need in the triage queue."""
        triage = {**self.triage, entry.need.need_id: entry}
        return CaseState(self.report, self.text, self.referrals, triage, self.resolution, self.resolved_at)

    def with_resolution(self, resolution: Resolution, at: datetime) -> "CaseState":
        """Return the case, ended."""
        return replace(self, resolution=resolution, resolved_at=at)

    def with_report(self, report: CaseSubmitted) -> "CaseState":
        """Return the case with another text of its report."""
        return replace(self, report=report, text=report.model_dump_json())

    def need(self, need_id: UUID) -> Need:
        """Return one of its needs.

        Raises:
            LookupError: the case has no such need.
        """
        for need in self.report.needs:
            if need.need_id == need_id:
                return need
        raise LookupError(f"case {self.report.case_id} has no need {need_id}")

    def referrals_of(self, need_id: UUID) -> list[Referral]:
        """Return the referrals of one need, in the order in which they were made."""
        return [referral for referral in self.referrals.values() if referral.need_id == need_id]

    def programs_asked(self, need_id: UUID) -> set[str]:
        """Return the programs, as agency/program, that were asked to help with one need."""
        return {referral.program_name for referral in self.referrals_of(need_id)}

    def open_referrals(self) -> list[Referral]:
        """Return the referrals that can still change."""
        return [referral for referral in self.referrals.values() if referral.is_open]

    def is_in_triage(self, need_id: UUID) -> bool:
        """Tell whether a need is in the triage queue."""
        entry = self.triage.get(need_id)
        return entry is not None and entry.is_open

    def has_ended(self) -> bool:
        """Tell whether nothing is left to do: no referral is open, no need is in the triage queue or unpublished.

        A need of a suppressed case has neither a referral nor a triage entry: such a case goes on.
        """
        if self.open_referrals() or any(entry.is_open for entry in self.triage.values()):
            return False
        return all(self.referrals_of(need.need_id) or need.need_id in self.triage for need in self.report.needs)

    def unassigned_needs(self) -> list[Need]:
        """Return the needs that were not met, have no open referral, and are not in the triage queue."""
        states = (State.COMPLETED, *OPEN)
        assigned = {referral.need_id for referral in self.referrals.values() if referral.state in states}
        return [
            need for need in self.report.needs if need.need_id not in assigned and not self.is_in_triage(need.need_id)
        ]

    def outcome(self) -> Resolution:
        """Return how an ended case ended: completed when each of its needs was met."""
        met = {referral.need_id for referral in self.referrals.values() if referral.state is State.COMPLETED}
        return Resolution.COMPLETED if all(n.need_id in met for n in self.report.needs) else Resolution.NOT_COMPLETED
