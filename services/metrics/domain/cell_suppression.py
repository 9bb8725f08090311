"""Cell suppression: which counts may be published, so that no reader learns or derives a small one.

The method is primary and secondary cell suppression (Hundepool and others, Statistical Disclosure Control, chapter 4).
Primary: a count below the minimum is suppressed. Secondary: everything is derived that a reader can derive, as the
remaining part of a sum, or a sum from its parts. While a small count can be derived, or the suppressed parts of a sum
are small together, one more count is suppressed. A count of 0 is about no person: it may be published, and a reader may
assume it where it is not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

CountName = tuple[str, ...]
"""Identifies a count."""


@dataclass(frozen=True, slots=True)
class SumRelation:
    """A count that is the sum of others, as every reader may know; some of the counts may never be published."""

    whole: CountName
    parts: tuple[CountName, ...]


@dataclass(frozen=True)
class SuppressionProblem:
    """What is to be published, and what readers know about it."""

    counts: Mapping[CountName, int]
    """Every count that a sum names, published or not."""

    ranks: Mapping[CountName, int]
    """The counts to publish, each with its rank: 0 is suppressed last. Of equal ranks the smaller count goes first."""

    sums: Sequence[SumRelation]
    minimum: int

    @cached_property
    def sums_of(self) -> Mapping[CountName, Sequence[int]]:
        """The indexes of the sums in which each count occurs."""
        found: dict[CountName, list[int]] = defaultdict(list)
        for index, one in enumerate(self.sums):
            for name in {one.whole, *one.parts}:
                found[name].append(index)
        return found

    def is_small(self, count: int) -> bool:
        """Tell whether a count is so small that it may identify a person."""
        return 0 < count < self.minimum


def choose_published(problem: SuppressionProblem) -> frozenset[CountName]:
    """Return the counts that may be published: no reader can derive a small count from them."""
    published = {name for name in problem.ranks if not problem.is_small(problem.counts[name])}
    while disclosive := list(Inference(problem, published).disclosive_sets()):
        suppressed: set[CountName] = set()
        for together in disclosive:
            # One suppressed count may break several sets: do not suppress another one for them.
            if suppressed.isdisjoint(together):
                suppressed.add(_least_important(problem, together))
        published -= suppressed
    return frozenset(published)


def _least_important(problem: SuppressionProblem, names: Iterable[CountName]) -> CountName:
    return min(names, key=lambda name: (-problem.ranks[name], problem.counts[name], name))


class Inference:
    """What a reader of some published counts, who knows the sums, can derive."""

    def __init__(self, problem: SuppressionProblem, published: Iterable[CountName]) -> None:
        self._problem = problem
        self._published = frozenset(published)
        self._evidence: dict[CountName, frozenset[CountName]] = {}  # of each known count the published counts behind it
        self._unknown_parts = [len(one.parts) for one in problem.sums]
        self._unknown_total = [sum(problem.counts[part] for part in one.parts) for one in problem.sums]
        self._derive()

    def disclosive_sets(self) -> Iterator[frozenset[CountName]]:
        """Yield sets of published counts from which, together, a small number can be derived."""
        for name, evidence in self._evidence.items():
            if name not in self._published and self._problem.is_small(self._problem.counts[name]):
                yield evidence
        for one, rest in zip(self._problem.sums, self._unknown_total, strict=True):
            if self._problem.is_small(rest) and one.whole in self._evidence:
                yield self._evidence_in(one)

    def _derive(self) -> None:
        """Start from what is published, and from the zeros that a reader may assume; follow the sums to the end."""
        counts = self._problem.counts
        found = [(name, frozenset({name})) for name in sorted(self._published) if counts[name]]
        found += [(name, frozenset[CountName]()) for name, count in counts.items() if not count]
        while found:
            name, evidence = found.pop()
            if name not in self._evidence:
                self._evidence[name] = evidence
                for index in self._problem.sums_of[name]:
                    found += self._derive_from_sum(name, index)

    def _derive_from_sum(self, name: CountName, index: int) -> Iterable[tuple[CountName, frozenset[CountName]]]:
        """Return what follows from one sum when this count, which occurs in it, becomes known."""
        one = self._problem.sums[index]
        if name != one.whole:
            self._unknown_parts[index] -= 1
            self._unknown_total[index] -= self._problem.counts[name]
        if one.whole not in self._evidence:
            return [] if self._unknown_parts[index] else [(one.whole, self._evidence_in(one))]
        # The unknown parts follow when only one is left, or when all of them together are 0.
        if not self._unknown_parts[index] or (self._unknown_parts[index] > 1 and self._unknown_total[index]):
            return []
        evidence = self._evidence_in(one)
        return [(part, evidence) for part in one.parts if part not in self._evidence]

    def _evidence_in(self, one: SumRelation) -> frozenset[CountName]:
        """Return the published counts behind the known counts of a sum."""
        known = (name for name in (one.whole, *one.parts) if name in self._evidence)
        return frozenset().union(*(self._evidence[name] for name in known))
