"""Explains why an agency received something of a case or not: as it was decided at the time, and as it would be now."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.routing.domain.city import RoutingCity
from services.routing.domain.explanation import DisclosureExplanation, explain_disclosure
from services.routing.domain.referral import Referral
from services.routing.domain.what_if import PastCase
from services.routing.store.evidence import Evidence, find_evidence
from services.routing.store.past_cases import find_past
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.explain.policy_history import PolicyHistory
from shared.events.intake import Need
from shared.kit.database.database import Transaction

NOT_ON_RECORD: Final = "The policy set of that time is not on record; the receipts show what was disclosed."
OTHER_POLICIES: Final = (
    "The policies were others at that time: this is what today's decide under the agreements of then."
)


class Involvement(StrEnum):
    """How an agency is involved in a case."""

    REFERRAL = "has or had a referral"
    DENIED = "was not asked because it may not know"
    RECIPIENT = "was given something"
    RULE = "is named by the routing rules"
    CONSENT = "is named in a consent"
    QUESTION = "was asked about"


class PastDecision(NamedTuple):
    """A decision in the past: when, by which policy set, the decision if that set is recorded, and a remark on it."""

    at: datetime
    policy_set: str | None
    decision: DisclosureExplanation | None
    remark: str | None = None


class NeedDisclosure(NamedTuple):
    """What was decided about one agency and one need; an agency without a referral was not asked."""

    need: Need
    referral: Referral | None
    then: PastDecision
    now: DisclosureExplanation


@dataclass(frozen=True, slots=True)
class AgencyDisclosures:
    """One agency: how it is involved in the case, and what was decided about it."""

    agency: str
    because: tuple[Involvement, ...]
    about: tuple[NeedDisclosure, ...]


@dataclass(frozen=True, slots=True)
class CaseDisclosures:
    """One case: what was decided about each agency, and what is on record."""

    past: PastCase
    asked_at: datetime
    policy_set: str
    agencies: tuple[AgencyDisclosures, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explanations depend on."""

    context: RoutingContext
    history: PolicyHistory


async def explain_disclosures(
    explainer: Explainer, tx: Transaction, case_id: UUID, agency: str | None = None
) -> CaseDisclosures | None:
    """Explain the disclosures of a case to one agency, or to all that are involved; None for an unknown case."""
    past = await find_past(tx, case_id)
    if past is None:
        return None
    evidence, now = await find_evidence(tx, case_id), await explainer.context.now(tx)
    case = _ExplainedCase(explainer, tx, past, evidence, now)
    involved = _involved_agencies(past, evidence, explainer.context.city, agency)
    agencies = [await case.explain_agency(name, needs) for name, needs in involved.items()]
    return CaseDisclosures(past, now, explainer.context.city.policy.hash, tuple(agencies), evidence)


@dataclass(frozen=True, slots=True)
class _ExplainedCase:
    """The case that is explained, and what is on record about it."""

    explainer: Explainer
    tx: Transaction
    past: PastCase
    evidence: Evidence
    now: datetime

    async def explain_agency(
        self, agency: str, involvements: Mapping[Involvement, Collection[UUID]]
    ) -> AgencyDisclosures:
        named = {need_id for need_ids in involvements.values() for need_id in need_ids}
        needs = [need for need in self.past.case.report.needs if not named or need.need_id in named]
        about = [each for need in needs for each in await self._explain_need(agency, need)]
        return AgencyDisclosures(agency, tuple(involvements), tuple(about))

    async def _explain_need(self, agency: str, need: Need) -> Sequence[NeedDisclosure]:
        """Explain one need: once for each referral of the agency, or once if it has none."""
        referrals: list[Referral | None] = [
            each for each in self.past.case.referrals_of(need.need_id) if each.agency == agency
        ]
        city = self.explainer.context.city
        now = explain_disclosure(self.past.query_now(city, need, self.now), city, agency)
        return [NeedDisclosure(need, each, await self._then(agency, need, each), now) for each in referrals or [None]]

    async def _then(self, agency: str, need: Need, referral: Referral | None) -> PastDecision:
        at, policy_set = self._decided_at(agency, need, referral)
        history = self.explainer.history
        policy_set = policy_set or await history.find_hash(self.tx, at)
        found = await history.find(self.tx, policy_set)
        if found is None:
            return PastDecision(at, policy_set, None, NOT_ON_RECORD)
        city = replace(self.explainer.context.city, policy=found.policy)
        explanation = explain_disclosure(self.past.query(city, need, at, self.past.holders(at)), city, agency)
        return PastDecision(at, policy_set, explanation, None if found.exact else OTHER_POLICIES)

    def _decided_at(self, agency: str, need: Need, referral: Referral | None) -> tuple[datetime, str | None]:
        """Return when it was first decided about the agency and the need, and by which policy set if that is recorded.

        That is the first disclosure, or the first denial, or else when the agency was or could have been asked.
        """
        if referral is not None:
            receipts = (each for each in self.evidence.receipts if each.referral_id == referral.referral_id)
            first = next(receipts, None)
            return (first.given_at, first.policy_set) if first else (referral.asked_at, None)
        denials = (each for each in self.evidence.refusals if each.agency == agency and each.need_id == need.need_id)
        denial = next(denials, None)
        return (denial.refused_at, denial.policy_set) if denial else (self.past.routed_at, None)


def _involved_agencies(
    past: PastCase, evidence: Evidence, city: RoutingCity, only: str | None
) -> Mapping[str, Mapping[Involvement, Collection[UUID]]]:
    """Return each involved agency, how it is involved, and for which needs: an empty collection is for all needs."""
    found: dict[str, dict[Involvement, set[UUID]]] = {}
    for agency, involvement, need_id in _involvements(past, evidence, city):
        if only in {None, agency}:
            needs = found.setdefault(agency, {}).setdefault(involvement, set())
            needs |= {need_id} if need_id else set()
    if only is not None and only not in found:
        found[only] = {Involvement.QUESTION: set()}
    return found


def _involvements(
    past: PastCase, evidence: Evidence, city: RoutingCity
) -> Iterator[tuple[str, Involvement, UUID | None]]:
    for referral in past.case.referrals.values():
        yield referral.agency, Involvement.REFERRAL, referral.need_id
    for denial in evidence.refusals:
        yield denial.agency, Involvement.DENIED, denial.need_id
    for receipt in evidence.receipts:
        yield receipt.agency, Involvement.RECIPIENT, None
    report = past.case.report
    for need in report.needs:
        rule = city.rules.find(report.service_code, need.need, report.place.district)
        for name in (*rule.candidates, *filter(None, [rule.fallback])) if rule else ():
            yield city.programs[name].agency, Involvement.RULE, need.need_id
    for consent in past.consents:
        for agency in sorted(consent.recipients):
            yield agency, Involvement.CONSENT, None
