"""The disclosure decision: what one agency receives of one case, by agreements, consents and Cedar policies."""

import hashlib
import json
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from cachetools import LRUCache

from shared.policy.agreements import Agreement
from shared.policy.clause_evaluation import CedarEvaluator, ClauseEvaluation
from shared.policy.clause_index import ClauseIndex, IndexedClause
from shared.policy.consent import CLOCKS_DIFFER
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.plan import ReleasePlan
from shared.policy.policies import Policies, our_policies
from shared.policy.verdicts import choose_grants, write_terms, write_verdicts

MAX_PLANS: Final = 50_000
"""Cached plans without consents; a plan takes about two kilobytes, and most keys share one."""

MAX_CONSENT_PLANS: Final = 5_000
"""Cached plans that depend on consents: each serves one case, which is decided a few times."""

_ALWAYS: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

PlanCache = LRUCache[Hashable, ReleasePlan]


class DisclosurePolicy:
    """The agreements in force, with a cache of the plans that they led to.

    The object never changes: new agreement versions, keys or services need a new `DisclosurePolicy`. `keys` names the
    agencies that have a public key. `services` holds the codes of the service catalogue: a case of an unknown service
    is disclosed to no agency. Without `services` the caller has checked the code.

    Raises:
        PolicyError: an agreement is given in two versions, or policies or agreements do not fit the schema.
    """

    def __init__(
        self,
        agreements: Iterable[Agreement],
        keys: Collection[str] = (),
        *,
        services: Collection[str] | None = None,
        policies: Policies | None = None,
    ) -> None:
        self.agreements = tuple(sorted(agreements, key=lambda agreement: agreement.id))
        self._policies = policies = policies or our_policies()
        self.hash = _hash(policies, self.agreements)
        self._clauses = ClauseIndex(self.agreements)
        self._cedar = CedarEvaluator(policies, self._clauses.all)
        self.keys = frozenset(keys)
        self._services = None if services is None else frozenset(services)
        self._by_query: PlanCache = LRUCache(MAX_PLANS)
        self._by_conditions: PlanCache = LRUCache(MAX_PLANS)
        self._by_consents: PlanCache = LRUCache(MAX_CONSENT_PLANS)

    def under(self, agreements: Iterable[Agreement]) -> "DisclosurePolicy":
        """Return the policy with other agreements and everything else unchanged."""
        return DisclosurePolicy(agreements, self.keys, services=self._services, policies=self._policies)

    def plan(self, query: DisclosureQuery) -> ReleasePlan:
        """Return the release plan for a query; a cached plan is used while it is valid at `query.at`."""
        if query.consents:
            return self._plan_with_consents(query)
        return _cached(self._by_query, query[:-2], query.at, lambda: self._plan_by_conditions(query))

    def evaluate_clauses(self, query: DisclosureQuery) -> list[ClauseEvaluation]:
        """Evaluate every clause to the agency, including those for other needs and sources; slow."""
        return self._evaluate(_with_own_consents(query), self._clauses.to(query.agency))

    def _plan_with_consents(self, query: DisclosureQuery) -> ReleasePlan:
        query = _with_own_consents(query)
        if not query.consents:
            return self.plan(query)
        return _cached(self._by_consents, (*query[:-2], query.consents), query.at, lambda: self._decide(query))

    def _plan_by_conditions(self, query: DisclosureQuery) -> ReleasePlan:
        """Share one plan between all cases that differ only in fields that no clause has a condition on."""
        clauses = self._clauses.for_query(query)
        key = (query.agency, *relevant_fields(query, clauses), self._is_known(query.service))
        return _cached(self._by_conditions, key, query.at, lambda: self._decide(query, clauses))

    def _decide(self, query: DisclosureQuery, clauses: Sequence[IndexedClause] | None = None) -> ReleasePlan:
        clauses = self._clauses.for_query(query) if clauses is None else clauses
        evaluations = self._evaluate(query, clauses)
        grants = choose_grants(evaluations, query.protects)
        changes = tuple(_change_moments(query, clauses))
        return ReleasePlan(
            agency=query.agency,
            protects=query.protects,
            verdicts=write_verdicts(evaluations, grants),
            policy_set=self.hash,
            terms=write_terms(grants, query.protects),
            valid_from=max(moment for moment in changes if moment <= query.at),
            valid_until=min(moment for moment in changes if moment > query.at),
        )

    def _evaluate(self, query: DisclosureQuery, clauses: Sequence[IndexedClause]) -> list[ClauseEvaluation]:
        known = {"in_catalogue": self._is_known(query.service), "has_key": query.agency in self.keys}
        return self._cedar.evaluate(query, clauses, known)

    def _is_known(self, service: str) -> bool:
        return self._services is None or service in self._services


def relevant_fields(query: DisclosureQuery, clauses: Sequence[IndexedClause]) -> tuple[object, ...]:
    """Return the fields of a query that a decision over these clauses depends on, without moment and consents.

    The clauses were selected by agency, sources and need, so their numbers stand for these three. A new condition in
    the Cedar policies must be added here; otherwise cases share a plan that they must not share.
    """
    conditions = [indexed.clause for indexed in clauses]
    return (
        tuple(indexed.number for indexed in clauses),
        query.protects,
        query.service if any(clause.services for clause in conditions) else None,
        query.district if any(clause.districts for clause in conditions) else None,
        query.urgency if any(clause.urgency for clause in conditions) else None,
    )


def _cached(cache: PlanCache, key: Hashable, at: datetime, decide: Callable[[], ReleasePlan]) -> ReleasePlan:
    """Return the cached plan if it is valid at this moment; otherwise decide and replace it."""
    plan = cache.get(key)
    if plan is None or not plan.valid_from <= at < plan.valid_until:
        plan = cache[key] = decide()
    return plan


def _with_own_consents(query: DisclosureQuery) -> DisclosureQuery:
    """Keep the consents that name the agency, ordered by id so that equal sets give equal cache keys."""
    named = (consent for consent in query.consents if query.agency in consent.recipients)
    return query._replace(consents=tuple(sorted(named, key=lambda consent: consent.consent_id)))


def _change_moments(query: DisclosureQuery, clauses: Iterable[IndexedClause]) -> Iterator[datetime]:
    """Yield the moments at which the decision may change: starts and ends of agreements and consents."""
    yield from _ALWAYS
    for indexed in clauses:
        yield indexed.agreement.begins_at
        yield indexed.agreement.ends_before
    for consent in query.consents:
        # A consent counts slightly before its time stamp, because clocks of services differ.
        yield consent.granted_at - CLOCKS_DIFFER
        yield consent.ends_at


def _hash(policies: Policies, agreements: Iterable[Agreement]) -> str:
    written = [agreement.model_dump(mode="json", by_alias=True) for agreement in agreements]
    text = json.dumps([policies.text, policies.schema_text, written], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
