"""A person takes a need from the triage queue and chooses the program that is asked to help."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause, DecisionBuilder, DecisionContext, TriageChange
from services.routing.domain.placement import Placed
from services.routing.domain.referrals import request_help


@dataclass(frozen=True, slots=True)
class TriageChoice:
    """The program, as agency/program, that a staff member has chosen for a need."""

    need_id: UUID
    program: str
    by: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The choice cannot be carried out, and nothing was changed."""

    why: str


NOT_IN_TRIAGE = Declined("this need is not in the triage queue")


def assign(case: CaseState, choice: TriageChoice, context: DecisionContext) -> CaseDecision | Declined:
    """Ask the chosen program for help with a need in the triage queue."""
    entry = case.triage.get(choice.need_id)
    if entry is None or not entry.is_open:
        return NOT_IN_TRIAGE
    program = context.city.programs.get(choice.program)
    if program is None:
        return Declined(f"unknown program {choice.program}")
    if not context.city.admits(program, context.query(case, entry.need)):
        return Declined(f"{program.agency} may not be given a report of this kind")
    # Derived from the entry: the same choice, sent twice, causes the same events.
    cause = Cause(uuid5(choice.need_id, f"triage {entry.since.isoformat()}"), choice.by, choice.traceparent)
    decision = DecisionBuilder(case, cause, context)
    decision.add(TriageChange(replace(entry, ended_by=choice.by, assigned_to=program.name)))
    decision.add(*request_help(case, entry.need, Placed(program, f"chosen by {choice.by}"), context, cause))
    return decision.build()
