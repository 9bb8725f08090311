"""The decision: what one agency may be given of one case, by the agreements, the consents and the policies."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from shared.policy.agreements import Agreement
from shared.policy.clause_evaluation import Court, Trial
from shared.policy.clause_index import Offer, Offers
from shared.policy.consent import CLOCKS_DIFFER
from shared.policy.disclosure_query import Inquiry
from shared.policy.plan import ReleasePlan
from shared.policy.policies import Policies, our_policies
from shared.policy.shelf import Shelf
from shared.policy.verdicts import choose_grants, write_terms, write_verdicts

MOST_PLANS: Final = 50_000
"""So many plans without consents are kept; a plan takes about two kilobytes, and most keys share one."""

MOST_PLANS_ON_CONSENTS: Final = 5_000
"""So many plans that stand on consents are kept: each is for one case, which is asked about a few times."""

_ALWAYS: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class Sharing:
    """Agreements to decide by. New versions, other keys or another catalogue make a new one, which has decided nothing.

    `keys` names the agencies that have a public key. `services` are the codes of the catalogue: a case of another one
    goes nowhere; without it, whoever asks has made sure of that.

    Raises:
        PolicyError: an agreement is there in two versions, or policies or agreements do not fit the schema.
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
        self._offers = Offers(self.agreements)
        self._court = Court(policies, self._offers.all)
        self.keys = frozenset(keys)
        self._services = None if services is None else frozenset(services)
        self._asked: Shelf[tuple[object, ...]] = Shelf(MOST_PLANS)
        self._decided: Shelf[tuple[object, ...]] = Shelf(MOST_PLANS)
        self._on_consents: Shelf[tuple[object, ...]] = Shelf(MOST_PLANS_ON_CONSENTS)

    def under(self, agreements: Iterable[Agreement]) -> "Sharing":
        """Return what would decide under other agreements, with all else as it is."""
        return Sharing(agreements, self.keys, services=self._services, policies=self._policies)

    def plan(self, inquiry: Inquiry) -> ReleasePlan:
        """Decide, or return what was decided on the same question where that still holds."""
        if inquiry.consents:
            return self._plan_on_consents(inquiry)
        key = inquiry[:-2]
        return self._asked.find(key, inquiry.at) or self._asked.keep(key, self._plan_alike(inquiry))

    def _plan_on_consents(self, inquiry: Inquiry) -> ReleasePlan:
        inquiry = _with_its_own_consents(inquiry)
        if not inquiry.consents:
            return self.plan(inquiry)
        key = (*inquiry[:-2], inquiry.consents)
        return self._on_consents.find(key, inquiry.at) or self._on_consents.keep(key, self._decide(inquiry))

    def _plan_alike(self, inquiry: Inquiry) -> ReleasePlan:
        """Decide once for all cases that differ in nothing that any clause asks for."""
        offers = self._offers.for_inquiry(inquiry)
        key = (inquiry.agency, *what_matters(inquiry, offers), self._is_known(inquiry.service))
        return self._decided.find(key, inquiry.at) or self._decided.keep(key, self._decide(inquiry, offers))

    def _decide(self, inquiry: Inquiry, offers: Sequence[Offer] | None = None) -> ReleasePlan:
        offers = self._offers.for_inquiry(inquiry) if offers is None else offers
        trials = self._try(inquiry, offers)
        grants = choose_grants(trials, inquiry.protects)
        moments = tuple(_moments(inquiry, offers))
        return ReleasePlan(
            agency=inquiry.agency,
            protects=inquiry.protects,
            verdicts=write_verdicts(trials, grants),
            policy_set=self.hash,
            terms=write_terms(grants, inquiry.protects),
            valid_from=max(moment for moment in moments if moment <= inquiry.at),
            valid_until=min(moment for moment in moments if moment > inquiry.at),
        )

    def _try(self, inquiry: Inquiry, offers: Sequence[Offer]) -> list[Trial]:
        known = {"in_catalogue": self._is_known(inquiry.service), "has_key": inquiry.agency in self.keys}
        return self._court.try_all(inquiry, offers, known)

    def _is_known(self, service: str) -> bool:
        return self._services is None or service in self._services

    def try_clauses(self, inquiry: Inquiry) -> list[Trial]:
        """Try every clause to the agency on a case, to explain: also those for other needs and from other sources."""
        return self._try(_with_its_own_consents(inquiry), self._offers.to(inquiry.agency))


def what_matters(inquiry: Inquiry, offers: Sequence[Offer]) -> tuple[object, ...]:
    """Return what a decision over these clauses depends on, the moment and consents apart.

    Offers are those for the inquiry's need and sources, so that which they are says enough about these. A policy that
    asks for more of a case than these conditions must be followed here.
    """
    clauses = [offer.clause for offer in offers]
    return (
        tuple(offer.number for offer in offers),
        inquiry.protects,
        inquiry.service if any(clause.services for clause in clauses) else None,
        inquiry.district if any(clause.districts for clause in clauses) else None,
        inquiry.urgency if any(clause.urgency for clause in clauses) else None,
    )


def _with_its_own_consents(inquiry: Inquiry) -> Inquiry:
    """Leave out the consents that do not name the agency, and put the others in order."""
    named = (consent for consent in inquiry.consents if inquiry.agency in consent.recipients)
    return inquiry._replace(consents=tuple(sorted(named, key=lambda consent: consent.consent_id)))


def _moments(inquiry: Inquiry, offers: Iterable[Offer]) -> Iterator[datetime]:
    """Go through the moments at which the decision may change."""
    yield from _ALWAYS
    for offer in offers:
        yield offer.agreement.begins_at
        yield offer.agreement.ends_before
    for consent in inquiry.consents:
        yield consent.granted_at - CLOCKS_DIFFER
        yield consent.ends_at


def _hash(policies: Policies, agreements: Iterable[Agreement]) -> str:
    written = [agreement.model_dump(mode="json", by_alias=True) for agreement in agreements]
    text = json.dumps([policies.text, policies.schema_text, written], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
