"""Each clause tried on one case by Cedar, group by group."""

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
    """The consents that an agency may rely on under one purpose, and the policies that speak against the others."""

    valid: tuple[Consent, ...] = ()
    denied_by: tuple[str, ...] = ()

    @property
    def covered(self) -> frozenset[FieldGroup]:
        """The groups that they name."""
        return frozenset(group for consent in self.valid for group in consent.groups)


NO_CONSENTS: Final = ApplicableConsents()

NOT_PERMITTED: Final = "not-permitted"
"""Nothing forbids it, and nothing permits it either."""


class ClauseEvaluation(NamedTuple):
    """One clause tried for one group; `against` has the ids of the policies that say no, and is empty if none does."""

    indexed: IndexedClause
    group: FieldGroup
    denied_by: tuple[str, ...]
    consents: ApplicableConsents


class CedarEvaluator:
    """The policies, with all clauses as their data; of a case it knows what it is asked with."""

    def __init__(self, policies: Policies, clauses: Sequence[IndexedClause]) -> None:
        self._policies = policies
        try:
            self._entities = Entities.from_json_str(write_entities(clauses), policies.schema)
        except ValueError as error:
            raise PolicyError(f"the agreements do not fit the schema: {error}") from None

    def evaluate(
        self, query: DisclosureQuery, clauses: Sequence[IndexedClause], known: Mapping[str, bool]
    ) -> list[ClauseEvaluation]:
        """Try clauses on a case, each for all groups that it names."""
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
    """Return what speaks against it; nothing does only where Cedar allows it without any error.

    Cedar leaves out a `forbid` that fails, so that an answer with errors may allow what that policy forbids.
    """
    said = result.diagnostics
    if said.errors:
        return tuple(sorted({_name(error) for error in said.errors}))
    return () if result.allowed else tuple(sorted(said.reasons)) or (NOT_PERMITTED,)


def _name(error: str) -> str:
    failed = _FAILED_POLICY.search(error)
    return f"error:{failed[1] if failed else 'request'}"
