"""Why a program was asked: as it was noted, and by today's routing book, under the policy of then and of now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.routing.domain.city import RoutingCity
from services.routing.domain.explanation import PlacementExplanation, explain_placement
from services.routing.domain.what_if import PastCase
from services.routing.store.evidence import RequestRecord, TriageRecord, list_requests, list_triage
from services.routing.store.past_cases import find_past
from services.routing.use_cases.explain.disclosures import Explainer
from shared.events.intake import Need
from shared.kit.database.database import Transaction


@dataclass(frozen=True, slots=True)
class NeedPlacements:
    """One need, by today's book: when it was routed, as far as what was decided by is on record, and now."""

    need: Need
    then: PlacementExplanation | None
    now: PlacementExplanation


@dataclass(frozen=True, slots=True)
class CasePlacements:
    """One case: the choice for each of its needs, and what was noted when it was made."""

    past: PastCase
    asked_at: datetime
    needs: tuple[NeedPlacements, ...]
    reasons: Mapping[UUID, RequestRecord]
    triage: Sequence[TriageRecord]


async def explain_placements(explainer: Explainer, tx: Transaction, case_id: UUID) -> CasePlacements | None:
    """Explain who was asked for help in a case; None when there is no such case."""
    past = await find_past(tx, case_id)
    if past is None:
        return None
    city, now = explainer.context.city, await explainer.context.now(tx)
    found = await explainer.history.find(tx, await explainer.history.set_at(tx, past.routed_at))
    then = _route(past, replace(city, policy=found.policy), past.routed_at) if found else {}
    anew = {need.need_id: explain_placement(past.query_now(city, need, now), city) for need in past.case.report.needs}
    needs = tuple(NeedPlacements(need, then.get(need.need_id), anew[need.need_id]) for need in past.case.report.needs)
    return CasePlacements(past, now, needs, await list_requests(tx, case_id), await list_triage(tx, case_id))


def _route(past: PastCase, city: RoutingCity, at: datetime) -> dict[UUID, PlacementExplanation]:
    """Choose for each need in the order in which it was done: who was asked before holds something of the case."""
    holders: set[str] = set()
    chosen: dict[UUID, PlacementExplanation] = {}
    for need in past.case.report.needs:
        choice = explain_placement(past.query(city, need, at, holders), city)
        chosen[need.need_id] = choice
        holders |= {choice.asked.partition("/")[0]} if choice.asked else set()
    return chosen
