"""Explains why programs were asked: as recorded, and by today's routing rules under the policies of then and now."""

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
    """One need by today's rules: under the policy set of when it was routed, if that is recorded, and under today's."""

    need: Need
    then: PlacementExplanation | None
    now: PlacementExplanation


@dataclass(frozen=True, slots=True)
class CasePlacements:
    """One case: the placements of its needs, and what was recorded when they were placed."""

    past: PastCase
    asked_at: datetime
    needs: tuple[NeedPlacements, ...]
    reasons: Mapping[UUID, RequestRecord]
    triage: Sequence[TriageRecord]


async def explain_placements(explainer: Explainer, tx: Transaction, case_id: UUID) -> CasePlacements | None:
    """Explain which programs were asked for help in a case; None for an unknown case."""
    past = await find_past(tx, case_id)
    if past is None:
        return None
    city, now = explainer.context.city, await explainer.context.now(tx)
    found = await explainer.history.find(tx, await explainer.history.find_hash(tx, past.routed_at))
    then = _place_all(past, replace(city, policy=found.policy), past.routed_at) if found else {}
    needs = tuple(
        NeedPlacements(need, then.get(need.need_id), explain_placement(past.query_now(city, need, now), city))
        for need in past.case.report.needs
    )
    return CasePlacements(past, now, needs, await list_requests(tx, case_id), await list_triage(tx, case_id))


def _place_all(past: PastCase, city: RoutingCity, at: datetime) -> dict[UUID, PlacementExplanation]:
    """Place the needs in the order of the report, as routing did: an agency that was asked holds the case from then."""
    holders: set[str] = set()
    placements: dict[UUID, PlacementExplanation] = {}
    for need in past.case.report.needs:
        placement = explain_placement(past.query(city, need, at, holders), city)
        placements[need.need_id] = placement
        holders |= {placement.asked.partition("/")[0]} if placement.asked else set()
    return placements
