"""What was decided by in the past: agreements as they were, by the hash that receipts name."""

from collections import OrderedDict
from datetime import datetime
from typing import Final, NamedTuple

from services.routing.store.agreements import find_set_at, list_agreements_in
from shared.kit.database.database import Transaction
from shared.policy.decision import DisclosurePolicy

MOST: Final = 8
"""So many sets of the past are kept at hand."""


class PastPolicy(NamedTuple):
    """What was decided by; not `exact` where the policies themselves were others, whose words are not kept in force."""

    policy: DisclosurePolicy
    exact: bool


class PolicyHistory:
    """What is decided by now, and what was before."""

    def __init__(self, now: DisclosurePolicy) -> None:
        self._now = now
        self._at_hand: OrderedDict[str, PastPolicy] = OrderedDict()

    async def set_at(self, tx: Transaction, moment: datetime) -> str | None:
        """Return the hash of the set that was in force at a moment; None when that is not on record."""
        return await find_set_at(tx, moment)

    async def find(self, tx: Transaction, policy_set: str | None) -> PastPolicy | None:
        """Return what was decided by under a hash; None when that is not on record."""
        if policy_set is None or policy_set == self._now.hash:
            return PastPolicy(self._now, True) if policy_set else None
        if policy_set not in self._at_hand:
            agreements = await list_agreements_in(tx, policy_set)
            if not agreements:
                return None
            sharing = self._now.under(agreements)
            self._at_hand[policy_set] = PastPolicy(sharing, sharing.hash == policy_set)
            if len(self._at_hand) > MOST:
                self._at_hand.popitem(last=False)
        return self._at_hand[policy_set]
