"""Keeps decisions that were made, for as long as each of them holds."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime
from typing import Generic, TypeVar

from shared.policy.plan import ReleasePlan

K = TypeVar("K", bound=Hashable)


class Shelf(Generic[K]):
    """Plans by what they were decided from, at most so many of them: what was not asked for longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._plans: OrderedDict[K, ReleasePlan] = OrderedDict()

    def find(self, key: K, at: datetime) -> ReleasePlan | None:
        """Return what was decided, if it holds at this moment."""
        plan = self._plans.get(key)
        if plan is None or not plan.valid_from <= at < plan.valid_until:
            return None
        self._plans.move_to_end(key)
        return plan

    def keep(self, key: K, plan: ReleasePlan) -> ReleasePlan:
        """Keep a plan, in the place of one that holds no more."""
        self._plans[key] = plan
        self._plans.move_to_end(key)
        if len(self._plans) > self._most:
            self._plans.popitem(last=False)
        return plan

    def __len__(self) -> int:
        return len(self._plans)
