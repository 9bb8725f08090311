"""The disclosure policies of the past, by the hash of the policy set that receipts and denials name."""

from datetime import datetime
from typing import Final, NamedTuple

from cachetools import LRUCache

from services.routing.store.agreements import find_set_at, list_agreements_in
from shared.kit.database.database import Transaction
from shared.policy.decision import DisclosurePolicy

MAX_CACHED: Final = 8
"""Past policies that are cached: building one evaluates all its agreements against the schema."""


class PastPolicy(NamedTuple):
    """A policy of the past; not `exact` if the Cedar policies have changed since: today's decide in their place."""

    policy: DisclosurePolicy
    exact: bool


class PolicyHistory:
    """Finds the policy that decided at a moment, and rebuilds it from the recorded agreements."""

    def __init__(self, now: DisclosurePolicy) -> None:
        self._now = now
        self._cache: LRUCache[str, PastPolicy] = LRUCache(MAX_CACHED)

    async def find_hash(self, tx: Transaction, moment: datetime) -> str | None:
        """Return the hash of the policy set that was in force at a moment; None if none is recorded."""
        return await find_set_at(tx, moment)

    async def find(self, tx: Transaction, policy_set: str | None) -> PastPolicy | None:
        """Return the policy with this hash; None if it is not recorded."""
        if policy_set is None or policy_set == self._now.hash:
            return PastPolicy(self._now, True) if policy_set else None
        found = self._cache.get(policy_set)
        if found is None:
            agreements = await list_agreements_in(tx, policy_set)
            if not agreements:
                return None
            policy = self._now.under(agreements)
            found = self._cache[policy_set] = PastPolicy(policy, policy.hash == policy_set)
        return found
