"""Why an agency was given something of a case or not: as it was decided then, and as it would be now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.routing.domain.explanation import DisclosureExplanation, explain_disclosure
from services.routing.domain.referral import Referral
from services.routing.domain.what_if import PastCase
from services.routing.store.evidence import Evidence, find_evidence
from services.routing.store.past_cases import find_past
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.explain.concerned_agencies import Involvement, concerned_agencies
from services.routing.use_cases.explain.policy_history import PolicyHistory
from shared.events.intake import Need
from shared.kit.database.database import Transaction

NOT_ON_RECORD: Final = "What was decided by then is not on record; receipts say what was given."
OTHER_POLICIES: Final = "The policies were others then: this is what today's say to the agreements of then."


class PastDecision(NamedTuple):
    """A decision of the past: when, by which set, what it was as far as that is on record, and a remark on that."""

    at: datetime
    policy_set: str | None
    decision: DisclosureExplanation | None
    remark: str | None = None


class NeedDisclosure(NamedTuple):
    """One agency and one need; without a referral it was not asked."""

    need: Need
    referral: Referral | None
    then: PastDecision
    now: DisclosureExplanation


@dataclass(frozen=True, slots=True)
class AgencyDisclosures:
    """One agency: how it comes into it, and the decisions about it."""

    agency: str
    because: tuple[Involvement, ...]
    about: tuple[NeedDisclosure, ...]


@dataclass(frozen=True, slots=True)
class CaseDisclosures:
    """One case: the decisions about each agency, and what is on record."""

    past: PastCase
    asked_at: datetime
    policy_set: str
    agencies: tuple[AgencyDisclosures, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explanations stand on."""

    context: RoutingContext
    history: PolicyHistory


async def explain_disclosures(
    explainer: Explainer, tx: Transaction, case_id: UUID, agency: str | None = None
) -> CaseDisclosures | None:
    """Explain the sharing of a case with one agency, or with all that come into it; None when there is no such case."""
    past = await find_past(tx, case_id)
    if past is None:
        return None
    evidence, now = await find_evidence(tx, case_id), await explainer.context.now(tx)
    concerned = concerned_agencies(past, evidence, explainer.context.city, agency)
    asking = _Asking(explainer, tx, past, evidence, now)
    agencies = [await asking.answer(name, because) for name, because in concerned.items()]
    return CaseDisclosures(past, now, explainer.context.city.policy.hash, tuple(agencies), evidence)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One case that is asked about."""

    explainer: Explainer
    tx: Transaction
    past: PastCase
    evidence: Evidence
    now: datetime

    async def answer(self, agency: str, because: Mapping[Involvement, Collection[UUID]]) -> AgencyDisclosures:
        named = {need_id for need_ids in because.values() for need_id in need_ids}
        needs = [need for need in self.past.case.report.needs if not named or need.need_id in named]
        about = [each for need in needs for each in await self._about(agency, need)]
        return AgencyDisclosures(agency, tuple(because), tuple(about))

    async def _about(self, agency: str, need: Need) -> Sequence[NeedDisclosure]:
        tries: list[Referral | None] = [
            each for each in self.past.case.referrals_of(need.need_id) if each.agency == agency
        ]
        asking = self.past.query_now(self.explainer.context.city, need, self.now)
        now = explain_disclosure(asking, self.explainer.context.city, agency)
        return [NeedDisclosure(need, each, await self._then(agency, need, each), now) for each in tries or [None]]

    async def _then(self, agency: str, need: Need, referral: Referral | None) -> PastDecision:
        """Return what was decided when the agency was first given something, or was refused, or might have been."""
        at, policy_set = self._decided_at(agency, need, referral)
        policy_set = policy_set or await self.explainer.history.set_at(self.tx, at)
        found = await self.explainer.history.find(self.tx, policy_set)
        if found is None:
            return PastDecision(at, policy_set, None, NOT_ON_RECORD)
        city = replace(self.explainer.context.city, policy=found.policy)
        asking = self.past.query(city, need, at, self.past.holders(at))
        return PastDecision(
            at, policy_set, explain_disclosure(asking, city, agency), None if found.exact else OTHER_POLICIES
        )

    def _decided_at(self, agency: str, need: Need, referral: Referral | None) -> tuple[datetime, str | None]:
        if referral is not None:
            given = (each for each in self.evidence.receipts if each.referral_id == referral.referral_id)
            first = next(given, None)
            return (first.given_at, first.policy_set) if first else (referral.asked_at, None)
        refused = (each for each in self.evidence.refusals if each.agency == agency and each.need_id == need.need_id)
        first_no = next(refused, None)
        return (first_no.refused_at, first_no.policy_set) if first_no else (self.past.routed_at, None)
