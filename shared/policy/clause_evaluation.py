"""Evaluates clauses for one case with Cedar, group by group."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from cedarpy import AuthzResult, Entities, is_authorized_batch

from shared.events.fields import FieldGroup
from shared.policy.cedar_requests import Json, ask_to_receive, ask_to_rely_on, write_entities
from shared.policy.clause_index import IndexedClause
from shared.policy.consent import Consent
from shared.policy.disclosure_query import DisclosureQuery
from shared.policy.policies import Policies, PolicyError

_FAILED_POLICY: Final = re.compile(r"policy `([^`]+)`")


class ApplicableConsents(NamedTuple):
    """The consents that an agency may rely on for one purpose, and the policies that denied the others."""

    valid: tuple[Consent, ...] = ()
    denied_by: tuple[str, ...] = ()

    @property
    def covered(self) -> frozenset[FieldGroup]:
        """The groups that the valid consents name."""
        return frozenset(group for consent in self.valid for group in consent.groups)


NO_CONSENTS: Final = ApplicableConsents()

NOT_PERMITTED: Final = "not-permitted"
"""No policy forbids the request and none permits it."""


class ClauseEvaluation(NamedTuple):
    """The result for one clause and one group; `denied_by` has the ids of the policies that denied it."""

    indexed: IndexedClause
    group: FieldGroup
    denied_by: tuple[str, ...]
    consents: ApplicableConsents


class CedarEvaluator:
    """Cedar with the policies and all clauses loaded; each call passes the data of one case."""

    def __init__(self, policies: Policies, clauses: Sequence[IndexedClause]) -> None:
        self._policies = policies
        try:
            self._entities = Entities.from_json_str(write_entities(clauses), policies.schema)
        except ValueError as error:
            raise PolicyError(f"the agreements do not fit the schema: {error}") from None

    def evaluate(
        self, query: DisclosureQuery, clauses: Sequence[IndexedClause], known: Mapping[str, bool]
    ) -> list[ClauseEvaluation]:
        """Evaluate clauses for a case, each for every group that it names, in one Cedar batch."""
        purposes = {indexed.agreement.purpose for indexed in clauses} if query.consents else set()
        consents = {purpose: self._consents(query, purpose) for purpose in sorted(purposes)}
        asked: list[tuple[IndexedClause, FieldGroup, ApplicableConsents]] = []
        requests: list[Json] = []
        for indexed in clauses:
            given = consents.get(indexed.agreement.purpose, NO_CONSENTS)
            asked += [(indexed, group, given) for group in indexed.clause.groups]
            requests += ask_to_receive(query, indexed, given.covered, known)
        answers = self._ask(requests)
        return [
            ClauseEvaluation(indexed, group, denied_by, given)
            for (indexed, group, given), denied_by in zip(asked, answers, strict=True)
        ]

    def _consents(self, query: DisclosureQuery, purpose: str) -> ApplicableConsents:
        answers = self._ask([ask_to_rely_on(query, consent, purpose) for consent in query.consents])
        judged = tuple(zip(query.consents, answers, strict=True))
        valid = tuple(consent for consent, denied_by in judged if not denied_by)
        return ApplicableConsents(valid, tuple(sorted({why for _, denied_by in judged for why in denied_by})))

    def _ask(self, requests: list[Json]) -> list[tuple[str, ...]]:
        policies = self._policies
        results = is_authorized_batch(requests, policies.policy_set, self._entities, policies.schema)
        return [_denials(result) for result in results]


def _denials(result: AuthzResult) -> tuple[str, ...]:
    """Return the ids of the policies that denied a request; empty only if Cedar allowed it without an error.

    Cedar skips a `forbid` whose condition fails to evaluate, so an answer with errors may allow what that policy
    forbids. Every error is therefore a denial.
    """
    diagnostics = result.diagnostics
    if diagnostics.errors:
        return tuple(sorted({_name(error) for error in diagnostics.errors}))
    return () if result.allowed else tuple(sorted(diagnostics.reasons)) or (NOT_PERMITTED,)


def _name(error: str) -> str:
    failed = _FAILED_POLICY.search(error)
    return f"error:{failed[1] if failed else 'request'}"
