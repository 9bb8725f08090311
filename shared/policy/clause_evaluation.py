"""Each clause tried on one case by Cedar, group by group."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from cedarpy import AuthzResult, Entities, is_authorized_batch

from shared.events.fields import FieldGroup
from shared.policy.cedar_requests import Json, ask_to_receive, ask_to_rely_on, write_entities
from shared.policy.clause_index import Offer
from shared.policy.consent import Consent
from shared.policy.disclosure_query import Inquiry
from shared.policy.policies import Policies, PolicyError

_FAILED_POLICY: Final = re.compile(r"policy `([^`]+)`")


class Consents(NamedTuple):
    """The consents that an agency may rely on under one purpose, and the policies that speak against the others."""

    standing: tuple[Consent, ...] = ()
    against: tuple[str, ...] = ()

    @property
    def covered(self) -> frozenset[FieldGroup]:
        """The groups that they name."""
        return frozenset(group for consent in self.standing for group in consent.groups)


NO_CONSENTS: Final = Consents()

NOT_PERMITTED: Final = "not-permitted"
"""Nothing forbids it, and nothing permits it either."""


class Trial(NamedTuple):
    """One clause tried for one group; `against` has the ids of the policies that say no, and is empty if none does."""

    offer: Offer
    group: FieldGroup
    against: tuple[str, ...]
    consents: Consents


class Court:
    """The policies, with all clauses as their data; of a case it knows what it is asked with."""

    def __init__(self, policies: Policies, offers: Sequence[Offer]) -> None:
        self._policies = policies
        try:
            self._entities = Entities.from_json_str(write_entities(offers), policies.schema)
        except ValueError as error:
            raise PolicyError(f"the agreements do not fit the schema: {error}") from None

    def try_all(self, inquiry: Inquiry, offers: Sequence[Offer], known: Mapping[str, bool]) -> list[Trial]:
        """Try clauses on a case, each for all groups that it names."""
        purposes = {offer.agreement.purpose for offer in offers} if inquiry.consents else set()
        consents = {purpose: self._consents(inquiry, purpose) for purpose in sorted(purposes)}
        asked: list[tuple[Offer, FieldGroup, Consents]] = []
        requests: list[Json] = []
        for offer in offers:
            given = consents.get(offer.agreement.purpose, NO_CONSENTS)
            asked += [(offer, group, given) for group in offer.clause.groups]
            requests += ask_to_receive(inquiry, offer, given.covered, known)
        answers = self._ask(requests)
        return [
            Trial(offer, group, against, given) for (offer, group, given), against in zip(asked, answers, strict=True)
        ]

    def _consents(self, inquiry: Inquiry, purpose: str) -> Consents:
        answers = self._ask([ask_to_rely_on(inquiry, consent, purpose) for consent in inquiry.consents])
        judged = tuple(zip(inquiry.consents, answers, strict=True))
        standing = tuple(consent for consent, against in judged if not against)
        return Consents(standing, tuple(sorted({why for _, against in judged for why in against})))

    def _ask(self, requests: list[Json]) -> list[tuple[str, ...]]:
        policies = self._policies
        results = is_authorized_batch(requests, policies.policy_set, self._entities, policies.schema)
        return [_against(result) for result in results]


def _against(result: AuthzResult) -> tuple[str, ...]:
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
