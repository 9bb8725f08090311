"""A person at the triage desk chooses a program."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from services.routing.domain.case import CaseState
from services.routing.domain.decision import CaseDecision, Cause, DecisionContext, asking
from services.routing.domain.placement import Placed
from services.routing.domain.referrals import request


@dataclass(frozen=True, slots=True)
class TriageChoice:
    """Who should help with a need, and who says so; `program` is written as agency/program."""

    need_id: UUID
    program: str
    by: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The choice cannot be carried out, and nothing was changed."""

    why: str


def assign(case: CaseState, choice: TriageChoice, around: DecisionContext) -> CaseDecision | Declined:
    """Ask the program that a person has chosen for a need at the triage desk."""
    waiting = case.waiting.get(choice.need_id)
    if waiting is None or waiting.ended_by is not None:
        return Declined("this need is not at the triage desk")
    program = around.city.programs.get(choice.program)
    if program is None:
        return Declined(f"there is no program {choice.program}")
    if not around.city.admits(program, asking(case, waiting.need, around)):
        return Declined(f"{program.agency} may not be given a report of this kind")
    cause = uuid5(choice.need_id, f"triage {waiting.since.isoformat()}")
    turn = CaseDecision.on(case, around, Cause(cause, choice.by, choice.traceparent))
    turn.case.waiting[choice.need_id] = replace(waiting, ended_by=choice.by, assigned_to=program.name)
    request(turn, waiting.need, Placed(program, f"chosen by {choice.by}"))
    return turn
