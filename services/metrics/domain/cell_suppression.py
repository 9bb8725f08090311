"""Withholding: which counts may be published, so that no small one can be read, or worked out from the others.

Statisticians call it primary and complementary cell suppression (Hundepool and others, Statistical Disclosure Control,
chapter 4). A count below the minimum is withheld. Then everything is worked out that a reader could: a sum less its
parts, parts that make up a sum. While that gives a small count away, or that a few are left among several counts, one
more count is withheld. What is nought is about nobody: it may be shown, and a reader may suppose it where it is not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Name = tuple[str, ...]
"""What a count is called."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A count that is the sum of others, as everybody may know; some of them may never be published."""

    whole: Name
    parts: tuple[Name, ...]


@dataclass(frozen=True)
class Offer:
    """What is to be published.

    `counts` has every count that a sum names, `ranks` those that are to be published: of two that could be withheld,
    the one of the greater rank is, and of one rank the smaller count.
    """

    counts: Mapping[Name, int]
    ranks: Mapping[Name, int]
    sums: Sequence[Sum]
    minimum: int

    @cached_property
    def where(self) -> Mapping[Name, Sequence[int]]:
        """The places of the sums that each count is in."""
        found: dict[Name, list[int]] = defaultdict(list)
        for place, one in enumerate(self.sums):
            for name in {one.whole, *one.parts}:
                found[name].append(place)
        return found

    def is_small(self, count: int) -> bool:
        """Tell whether so many are few enough to pick a person out of."""
        return 0 < count < self.minimum


def choose_shown(offer: Offer) -> frozenset[Name]:
    """Return the counts that may be shown; nothing that is withheld and small can be worked out from them."""
    shown = {name for name in offer.ranks if not offer.is_small(offer.counts[name])}
    while culprits := list(Knowledge(offer, shown).betrayals()):
        withheld: set[Name] = set()
        for together in culprits:
            if withheld.isdisjoint(together):
                withheld.add(_dispensable(offer, together))
        shown -= withheld
    return frozenset(shown)


def _dispensable(offer: Offer, names: Iterable[Name]) -> Name:
    """Return the count whose loss costs a reader least."""
    return min(names, key=lambda name: (-offer.ranks[name], offer.counts[name], name))


class Knowledge:
    """What a reader knows who is shown some of the counts, and knows the sums."""

    def __init__(self, offer: Offer, shown: Iterable[Name]) -> None:
        self._offer = offer
        self._shown = frozenset(shown)
        self._because: dict[Name, frozenset[Name]] = {}
        self._unknown = [len(one.parts) for one in offer.sums]
        self._rest = [sum(offer.counts[part] for part in one.parts) for one in offer.sums]
        self._learn(self._shown)

    def betrayals(self) -> Iterator[frozenset[Name]]:
        """Give the sets of shown counts from which something small can be worked out."""
        for name, bases in self._because.items():
            if name not in self._shown and self._offer.is_small(self._offer.counts[name]):
                yield bases
        for one, rest in zip(self._offer.sums, self._rest, strict=True):
            if self._offer.is_small(rest) and one.whole in self._because:
                yield self._bases(one)

    def _learn(self, shown: Iterable[Name]) -> None:
        """Take in what is shown, and whatever follows from it."""
        waiting = [(name, frozenset({name})) for name in sorted(shown) if self._offer.counts[name]]
        waiting += [(name, frozenset[Name]()) for name, count in self._offer.counts.items() if not count]
        while waiting:
            name, bases = waiting.pop()
            if name not in self._because:
                self._because[name] = bases
                for place in self._offer.where[name]:
                    waiting += self._follow(name, place)

    def _follow(self, name: Name, place: int) -> Iterable[tuple[Name, frozenset[Name]]]:
        """Return what follows from one sum now that this count, which is in it, is known."""
        one = self._offer.sums[place]
        if name != one.whole:
            self._unknown[place] -= 1
            self._rest[place] -= self._offer.counts[name]
        if one.whole not in self._because:
            return [] if self._unknown[place] else [(one.whole, self._bases(one))]
        if not self._unknown[place] or (self._unknown[place] > 1 and self._rest[place]):
            return []
        bases = self._bases(one)
        return [(part, bases) for part in one.parts if part not in self._because]

    def _bases(self, one: Sum) -> frozenset[Name]:
        """Return the shown counts that what is known of a sum rests on."""
        return frozenset().union(*(self._because[name] for name in (one.whole, *one.parts) if name in self._because))
