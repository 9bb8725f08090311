"""Why a program was asked: as it was noted, and by today's routing book, under the policy of then and of now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.routing.domain.explanation import Choice, explain_choice
from services.routing.domain.placement import City
from services.routing.domain.what_if import Past
from services.routing.store.evidence import Reason, Triage, list_reasons, list_triage
from services.routing.store.past_cases import find_past
from services.routing.use_cases.explain.disclosures import Explainer
from shared.events.intake import Need
from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class NeedAnswer:
    """One need, by today's book: when it was routed, as far as what was decided by is on record, and now."""

    need: Need
    then: Choice | None
    now: Choice


@dataclass(frozen=True, slots=True)
class ChoicesAnswer:
    """One case: the choice for each of its needs, and what was noted when it was made."""

    past: Past
    asked_at: datetime
    needs: tuple[NeedAnswer, ...]
    reasons: Mapping[UUID, Reason]
    triage: Sequence[Triage]


async def explain_choices(explainer: Explainer, tx: Transaction, case_id: UUID) -> ChoicesAnswer | None:
    """Explain who was asked for help in a case; None when there is no such case."""
    past = await find_past(tx, case_id)
    if past is None:
        return None
    city, now = explainer.desk.city, await explainer.desk.clock(tx)
    found = await explainer.history.find(tx, await explainer.history.set_at(tx, past.routed_at))
    then = _route(past, replace(city, sharing=found.sharing), past.routed_at) if found else {}
    anew = {need.need_id: explain_choice(past.asking_now(city, need, now), city) for need in past.case.report.needs}
    needs = tuple(NeedAnswer(need, then.get(need.need_id), anew[need.need_id]) for need in past.case.report.needs)
    return ChoicesAnswer(past, now, needs, await list_reasons(tx, case_id), await list_triage(tx, case_id))


def _route(past: Past, city: City, at: datetime) -> dict[UUID, Choice]:
    """Choose for each need in the order in which it was done: who was asked before holds something of the case."""
    holders: set[str] = set()
    chosen: dict[UUID, Choice] = {}
    for need in past.case.report.needs:
        choice = explain_choice(past.asking(city, need, at, holders), city)
        chosen[need.need_id] = choice
        holders |= {choice.asked.partition("/")[0]} if choice.asked else set()
    return chosen
