"""Goes through the whole ledger and holds everything against everything else: receipts, tree, and what was signed.

Each receipt is hashed anew and held against its leaf, each node against the two below it, and the tree at each size
that was signed against what was signed. Together that is the whole tree computed anew, and tells where it differs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from shared.policy.merkle import LeafRange, Node, Nodes, hash_pair, root_of
from shared.policy.proofs import TreeHead
from shared.policy.receipts import Facts, leaf_of


class LedgerFinding(NamedTuple):
    """What is wrong with the places from `first` to `last`."""

    first: int
    last: int
    what: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The receipts that have the places of a span, in whatever order, and the nodes that these complete."""

    span: LeafRange
    receipts: Sequence[tuple[int, Facts]]
    nodes: Nodes


class _Mismatch(NamedTuple):
    place: int
    found: bytes


MISSING: Final = "the receipt is missing"
INSERTED: Final = "a receipt that is not in the tree"
CHANGED: Final = "the receipt is not the one that was written"
MOVED: Final = "the receipt of place {first} stands here"
MOVED_MANY: Final = "the receipts of places {first} to {last} stand here"
NO_NODE: Final = "a part of the tree is missing"
FORGED: Final = "the tree does not fit what is below it"
SIGNED_OTHERWISE: Final = "something here is not what was signed at {size} receipts"
CUT_OFF: Final = "gone, though they were signed at {size} receipts"

_UNKNOWN: Final = b""
"""Stands for a hash that cannot be known, because everything that it could be made from is missing."""


class LedgerAudit:
    """Takes the ledger page by page, in order and without a gap; what is wrong is found at the end."""

    def __init__(self, signed: Iterable[TreeHead]) -> None:
        self._signed = sorted(set(signed), key=lambda tree: (tree.size, tree.root))
        self._size = 0
        self._edge: dict[Node, bytes] = {}
        self._findings: list[LedgerFinding] = []
        self._mismatches: list[_Mismatch] = []
        self._homes: dict[bytes, int] = {}
        self._wrong: set[Node] = set()
        self._trusted = 0
        self._broken = False
        self._hold_against_signed(LeafRange(-1, 0), {})

    def take(self, page: LedgerPage) -> None:
        """Look at the next page."""
        nodes = {**self._edge, **page.nodes}
        self._check_receipts(page, nodes)
        self._check_nodes(page.span, nodes)
        self._hold_against_signed(page.span, nodes)
        self._size = page.span.end
        self._edge = {node: nodes[node] for node in _last_of_each_level(self._size)}

    def finish(self) -> list[LedgerFinding]:
        """Return what is wrong, by place; nothing where everything is as it was written."""
        beyond = [tree for tree in self._signed if tree.size > self._size]
        if beyond:
            self._say(self._size, beyond[-1].size - 1, CUT_OFF.format(size=beyond[-1].size))
        return sorted([*_merged(self._findings), *_moved_or_changed(self._mismatches, self._homes)])

    def _check_receipts(self, page: LedgerPage, nodes: dict[Node, bytes]) -> None:
        """Hold each receipt against its leaf; a leaf that is missing is made from its receipt."""
        found: dict[int, list[bytes]] = {}
        for place, facts in page.receipts:
            found.setdefault(place, []).append(leaf_of(facts))
        for place in range(page.span.start, page.span.end):
            leaves, expected = found.get(place, []), nodes.get(Node(0, place))
            if len(leaves) != 1:
                self._say(place, place, INSERTED if leaves else MISSING)
            if expected is None:
                self._say(place, place, NO_NODE)
                nodes[Node(0, place)] = leaves[0] if leaves else _UNKNOWN
            elif len(leaves) == 1 and leaves[0] != expected:
                self._mismatches.append(_Mismatch(place, leaves[0]))
            if expected is not None and leaves != [expected]:
                self._homes[expected] = place

    def _check_nodes(self, span: LeafRange, nodes: dict[Node, bytes]) -> None:
        """Hold each node against the two below it; of what is wrong above one another, the lowest is said."""
        for node in _completed_by(span):
            left, right = Node(node.level - 1, 2 * node.number), Node(node.level - 1, 2 * node.number + 1)
            if node not in nodes:
                self._say(node.first, node.last, NO_NODE)
            computed = _UNKNOWN if _UNKNOWN in {nodes[left], nodes[right]} else hash_pair(nodes[left], nodes[right])
            kept = nodes.setdefault(node, computed)
            below = {left, right} & self._wrong
            if below or kept != computed:
                self._wrong.add(node)
            if kept != computed and not below and computed is not _UNKNOWN:
                self._say(node.first, node.last, FORGED)

    def _hold_against_signed(self, span: LeafRange, nodes: Nodes) -> None:
        """Hold the tree, at each size of this span that was signed, against what was signed; one failure says all."""
        for tree in self._signed:
            if span.start < tree.size <= span.end and not self._broken:
                if root_of(tree.size, nodes) == tree.root:
                    self._trusted = tree.size
                else:
                    self._broken = True
                    self._say(self._trusted, max(tree.size - 1, 0), SIGNED_OTHERWISE.format(size=tree.size))

    def _say(self, first: int, last: int, what: str) -> None:
        self._findings.append(LedgerFinding(first, last, what))


def _last_of_each_level(size: int) -> list[Node]:
    return [Node(level, (size >> level) - 1) for level in range(size.bit_length())]


def _completed_by(span: LeafRange) -> Iterator[Node]:
    """Go through the nodes above the leaves that these leaves complete, from below."""
    for level in range(1, span.end.bit_length()):
        for number in range(span.start >> level, span.end >> level):
            yield Node(level, number)


def _merged(findings: Sequence[LedgerFinding]) -> Iterator[LedgerFinding]:
    """Say once what is the same of places that follow one another."""
    ordered = sorted(findings, key=lambda finding: (finding.what, finding.first, finding.last))
    last: LedgerFinding | None = None
    for finding in ordered:
        if last and last.what == finding.what and finding.first <= last.last + 1:
            last = LedgerFinding(last.first, max(last.last, finding.last), last.what)
            continue
        if last:
            yield last
        last = finding
    if last:
        yield last


def _moved_or_changed(mismatches: Sequence[_Mismatch], homes: Mapping[bytes, int]) -> Iterator[LedgerFinding]:
    """Say of receipts that are not the ones of their places where they belong, if anywhere."""

    def run(numbered: tuple[int, _Mismatch]) -> tuple[int, int | None]:
        ordinal, mismatch = numbered
        origin = homes.get(mismatch.found)
        return mismatch.place - ordinal, None if origin is None else origin - mismatch.place

    for (_, distance), group in groupby(enumerate(mismatches), run):
        places = [mismatch.place for _, mismatch in group]
        first, last = places[0], places[-1]
        if distance is None:
            yield LedgerFinding(first, last, CHANGED)
        else:
            words = MOVED if first == last else MOVED_MANY
            yield LedgerFinding(first, last, words.format(first=first + distance, last=last + distance))
