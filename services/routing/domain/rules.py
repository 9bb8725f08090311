"""The routing book: which programs are asked to help with which need. Indexed, never scanned."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

RuleKey = tuple[str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What it names must match; what it leaves out (None) may be anything.

    `candidates` are names of programs in the order in which they are asked. `fallback` is asked when nobody has
    answered in time.
    """

    id: str
    candidates: tuple[str, ...]
    service: str | None = None
    need: str | None = None
    district: str | None = None
    fallback: str | None = None

    @property
    def key(self) -> RuleKey:
        """What it names, the weightiest first."""
        return (self.service, self.need, self.district)


class RoutingRules:
    """Rules by what they name, so that finding one takes at most eight look-ups however many there are."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[RuleKey, Rule] = {}
        for rule in rules:
            self._rules.setdefault(rule.key, rule)
        named = {tuple(part is not None for part in key) for key in self._rules}
        self._shapes = [shape for shape in product((True, False), repeat=3) if shape in named]

    def find(self, service: str, need: str, district: str | None) -> Rule | None:
        """Return the most specific rule that applies.

        One that names the service goes before one that does not, then one that names the need, then one that names
        the district; of two that name the same, the first in the book counts.
        """
        for by_service, by_need, by_district in self._shapes:
            key = (service if by_service else None, need if by_need else None, district if by_district else None)
            rule = self._rules.get(key)
            if rule is not None:
                return rule
        return None

    def looks(self, service: str, need: str, district: str | None) -> Iterator[tuple[RuleKey, Rule | None]]:
        """Go through what is looked up, the most specific first, with the rule that is there: the first one counts."""
        for by_service, by_need, by_district in self._shapes:
            if not by_district or district is not None:
                key = (service if by_service else None, need if by_need else None, district if by_district else None)
                yield key, self._rules.get(key)
