"""The routing rules: which programs are asked to help with a need. Found by index, never by a scan."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

RuleKey = tuple[str | None, str | None, str | None]
"""The service, need and district that a rule names; None where it names none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule applies to a need if all that it names matches; what it leaves out (None) matches anything."""

    id: str
    candidates: tuple[str, ...]
    """Programs, as agency/program, in the order in which they are asked."""
    service: str | None = None
    need: str | None = None
    district: str | None = None
    fallback: str | None = None
    """The program that is asked when no candidate has answered in time."""

    @property
    def key(self) -> RuleKey:
        """What the rule names, the weightiest first."""
        return (self.service, self.need, self.district)


class RoutingRules:
    """Rules indexed by what they name: finding one takes at most eight look-ups, however many rules there are."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[RuleKey, Rule] = {}
        for rule in rules:
            self._rules.setdefault(rule.key, rule)
        # Three parts, each named or not, make eight shapes of keys. Shapes that no rule has are not looked up.
        named = {tuple(part is not None for part in key) for key in self._rules}
        self._shapes = [shape for shape in product((True, False), repeat=3) if shape in named]

    def find(self, service: str, need: str, district: str | None) -> Rule | None:
        """Return the most specific rule that applies.

        A rule that names the service precedes one that does not, then one that names the need, then one that names
        the district. Of two rules that name the same, the first in the file applies.
        """
        for by_service, by_need, by_district in self._shapes:
            key = (service if by_service else None, need if by_need else None, district if by_district else None)
            rule = self._rules.get(key)
            if rule is not None:
                return rule
        return None

    def lookups(self, service: str, need: str, district: str | None) -> Iterator[tuple[RuleKey, Rule | None]]:
        """Yield what `find` looks up, the most specific key first, with the rule of that key: the first one applies."""
        for by_service, by_need, by_district in self._shapes:
            if not by_district or district is not None:
                key = (service if by_service else None, need if by_need else None, district if by_district else None)
                yield key, self._rules.get(key)
