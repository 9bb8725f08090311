"""Audits the whole ledger: compares receipts, tree nodes and signed checkpoints.

Hashes each receipt and compares it with its leaf, compares each node with its two children, and compares the root at
each signed size with the checkpoint. Together this recomputes the whole tree and locates every difference.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from shared.policy.merkle import LeafRange, Node, Nodes, hash_pair, root_of
from shared.policy.proofs import TreeHead
from shared.policy.receipts import Facts, leaf_of


class LedgerFinding(NamedTuple):
    """An error in the leaves from `first` to `last`, both inclusive."""

    first: int
    last: int
    what: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The receipts of a leaf range, in any order, and the nodes that they complete."""

    span: LeafRange
    receipts: Sequence[tuple[int, Facts]]
    nodes: Nodes


class _Mismatch(NamedTuple):
    place: int
    found: bytes


MISSING: Final = "the receipt is missing"
INSERTED: Final = "a receipt that is not in the tree"
CHANGED: Final = "the receipt was changed"
MOVED: Final = "the receipt of place {first} is here"
MOVED_MANY: Final = "the receipts of places {first} to {last} are here"
NO_NODE: Final = "a node of the tree is missing"
FORGED: Final = "a node does not match its children"
SIGNED_OTHERWISE: Final = "differs from the checkpoint signed at {size} receipts"
CUT_OFF: Final = "missing, but covered by the checkpoint signed at {size} receipts"

_UNKNOWN: Final = b""
"""Replaces a hash that cannot be computed because its inputs are missing."""


class LedgerAudit:
    """Reads the ledger page by page, in order and without gaps; `finish` returns the findings."""

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
        self._compare_with_checkpoints(LeafRange(-1, 0), {})

    def take(self, page: LedgerPage) -> None:
        """Check the next page."""
        nodes = {**self._edge, **page.nodes}
        self._check_receipts(page, nodes)
        self._check_nodes(page.span, nodes)
        self._compare_with_checkpoints(page.span, nodes)
        self._size = page.span.end
        self._edge = {node: nodes[node] for node in _last_of_each_level(self._size)}

    def finish(self) -> list[LedgerFinding]:
        """Return the findings by place; empty if the ledger is intact."""
        beyond = [tree for tree in self._signed if tree.size > self._size]
        if beyond:
            self._report(self._size, beyond[-1].size - 1, CUT_OFF.format(size=beyond[-1].size))
        return sorted([*_merged(self._findings), *_moved_or_changed(self._mismatches, self._homes)])

    def _check_receipts(self, page: LedgerPage, nodes: dict[Node, bytes]) -> None:
        """Compare each receipt with its leaf; a missing leaf is computed from its receipt."""
        found: dict[int, list[bytes]] = {}
        for place, facts in page.receipts:
            found.setdefault(place, []).append(leaf_of(facts))
        for place in range(page.span.start, page.span.end):
            leaves, expected = found.get(place, []), nodes.get(Node(0, place))
            if len(leaves) != 1:
                self._report(place, place, INSERTED if leaves else MISSING)
            if expected is None:
                self._report(place, place, NO_NODE)
                nodes[Node(0, place)] = leaves[0] if leaves else _UNKNOWN
            elif len(leaves) == 1 and leaves[0] != expected:
                self._mismatches.append(_Mismatch(place, leaves[0]))
            if expected is not None and leaves != [expected]:
                self._homes[expected] = place

    def _check_nodes(self, span: LeafRange, nodes: dict[Node, bytes]) -> None:
        """Compare each node with its two children; of nested errors only the lowest is reported."""
        for node in _completed_by(span):
            left, right = Node(node.level - 1, 2 * node.number), Node(node.level - 1, 2 * node.number + 1)
            if node not in nodes:
                self._report(node.first, node.last, NO_NODE)
            computed = _UNKNOWN if _UNKNOWN in {nodes[left], nodes[right]} else hash_pair(nodes[left], nodes[right])
            kept = nodes.setdefault(node, computed)
            below = {left, right} & self._wrong
            if below or kept != computed:
                self._wrong.add(node)
            if kept != computed and not below and computed is not _UNKNOWN:
                self._report(node.first, node.last, FORGED)

    def _compare_with_checkpoints(self, span: LeafRange, nodes: Nodes) -> None:
        """Compare the root at each signed size in this range with its checkpoint; report the first failure only."""
        for tree in self._signed:
            if span.start < tree.size <= span.end and not self._broken:
                if root_of(tree.size, nodes) == tree.root:
                    self._trusted = tree.size
                else:
                    self._broken = True
                    self._report(self._trusted, max(tree.size - 1, 0), SIGNED_OTHERWISE.format(size=tree.size))

    def _report(self, first: int, last: int, what: str) -> None:
        self._findings.append(LedgerFinding(first, last, what))


def _last_of_each_level(size: int) -> list[Node]:
    return [Node(level, (size >> level) - 1) for level in range(size.bit_length())]


def _completed_by(span: LeafRange) -> Iterator[Node]:
    """Yield the inner nodes that these leaves complete, from the lowest level up."""
    for level in range(1, span.end.bit_length()):
        for number in range(span.start >> level, span.end >> level):
            yield Node(level, number)


def _merged(findings: Sequence[LedgerFinding]) -> Iterator[LedgerFinding]:
    """Merge equal findings of adjacent leaves."""
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
    """Report receipts at a wrong place: moved from another place, or changed."""

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
