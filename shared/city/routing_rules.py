"""routing-book.toml: the rules that choose which programs are asked to help with a need."""

from collections.abc import Iterable, Iterator
from itertools import product

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from shared.city.toml_files import FilePart
from shared.events.event import Slug

RuleKey = tuple[str | None, str | None, str | None]
"""Service, need and district of a rule; None where the rule applies to any."""


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Rule:
    """One rule: what it names must match, what it leaves out (None) may be anything.

    `candidates` are names of programs (`agency/program`) in the order in which they are asked.
    `fallback` is asked when no candidate has answered in time.
    """

    id: Slug
    candidates: tuple[str, ...] = Field(min_length=1)
    service: Slug | None = None
    need: Slug | None = None
    district: Slug | None = None
    fallback: str | None = None

    @property
    def key(self) -> RuleKey:
        """What the rule names, the most specific first."""
        return (self.service, self.need, self.district)

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of all programs that the rule may ask."""
        return self.candidates if self.fallback is None else (*self.candidates, self.fallback)


class RulesFile(FilePart):
    """routing-book.toml."""

    rule: tuple[Rule, ...] = ()


class RoutingRules:
    """The rules by what they name: one lookup reads at most eight keys, however many rules there are."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[RuleKey, Rule] = {}
        for rule in rules:
            self._rules.setdefault(rule.key, rule)
        # Three parts, each named or not, make eight shapes of keys. Shapes that no rule has are not looked up.
        named = {tuple(part is not None for part in key) for key in self._rules}
        self._shapes = [shape for shape in product((True, False), repeat=3) if shape in named]

    def find(self, service: str, need: str, district: str | None) -> Rule | None:
        """Return the most specific rule that applies.

        A rule that names the service goes before one that does not, then one that names the need,
        then one that names the district. Of two that name the same, the first in the file applies.
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
