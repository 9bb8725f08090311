"""An append-only Merkle tree (RFC 6962), stored as its complete subtrees.

Node (level, number) is the root of the complete subtree that starts at leaf number * 2^level. Nodes never change after
they are written, so the root of any earlier size can be computed from a later tree.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from hashlib import sha256
from typing import Final, NamedTuple

EMPTY_ROOT: Final = sha256().digest()
"""The hash of a tree without leaves (RFC 6962, section 2.1)."""


class Node(NamedTuple):
    """The address of a complete subtree."""

    level: int
    number: int

    @property
    def first(self) -> int:
        """The first leaf under it."""
        return self.number << self.level

    @property
    def last(self) -> int:
        """The last leaf under it."""
        return (self.number + 1 << self.level) - 1


class LeafRange(NamedTuple):
    """The leaves from `start` (inclusive) to `end` (exclusive)."""

    start: int
    end: int


Nodes = Mapping[Node, bytes]


def hash_leaf(data: bytes) -> bytes:
    """Hash one leaf (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + data).digest()


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Hash the node above two others (RFC 6962, section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def peaks_of(size: int) -> list[Node]:
    """List the complete subtrees of a tree of this size, largest first."""
    return nodes_under(LeafRange(0, size))


def nodes_under(span: LeafRange) -> list[Node]:
    """List the complete subtrees that cover these leaves, from left to right."""
    found, start = [], span.start
    for level in range((span.end - span.start).bit_length() - 1, -1, -1):
        if (span.end - span.start) >> level & 1:
            found.append(Node(level, start >> level))
            start += 1 << level
    return found


def append(size: int, peaks: Nodes, leaves: Sequence[bytes]) -> dict[Node, bytes]:
    """Append leaf hashes to a tree of this size; return the nodes that become complete, including the leaves.

    Arguments:
        size: leaves so far.
        peaks: the nodes of `peaks_of(size)`, at least.
        leaves: hashes of the new leaves, in order.
    """
    new = {Node(0, size + ordinal): leaf for ordinal, leaf in enumerate(leaves)}
    grown, level = size + len(leaves), 0
    while grown >> level + 1:
        for number in range(size >> level + 1, grown >> level + 1):
            left, right = Node(level, 2 * number), Node(level, 2 * number + 1)
            new[Node(level + 1, number)] = hash_pair(new[left] if left in new else peaks[left], new[right])
        level += 1
    return new


def root_of(size: int, nodes: Nodes) -> bytes:
    """Return the tree hash of the first `size` leaves, from the nodes of `peaks_of(size)`."""
    return hash_span(LeafRange(0, size), nodes) if size else EMPTY_ROOT


def hash_span(span: LeafRange, nodes: Nodes) -> bytes:
    """Return the tree hash of these leaves, from the nodes of `nodes_under(span)`."""
    return reduce(lambda right, left: hash_pair(left, right), [nodes[node] for node in reversed(nodes_under(span))])


def inclusion_spans(place: int, size: int) -> list[LeafRange]:
    """List the ranges of an inclusion proof of this leaf, from the leaf up: PATH of RFC 6962, section 2.1.1."""
    found, span = [], LeafRange(0, size)
    while span.end - span.start > 1:
        split = _split(span)
        left, right = LeafRange(span.start, split), LeafRange(split, span.end)
        sibling, span = (right, left) if place < split else (left, right)
        found.append(sibling)
    return found[::-1]


def consistency_spans(old: int, new: int) -> list[LeafRange]:
    """List the ranges of a consistency proof from size `old` to size `new`: PROOF of RFC 6962, section 2.1.2.

    Empty if the sizes are equal or the old tree is empty: then there is nothing to prove.
    """
    if old in {0, new}:
        return []
    found, span = [], LeafRange(0, new)
    while span.end != old:
        split = _split(span)
        left, right = LeafRange(span.start, split), LeafRange(split, span.end)
        sibling, span = (left, right) if old > split else (right, left)
        found.append(sibling)
    return [*([span] if span.start else []), *reversed(found)]


def _split(span: LeafRange) -> int:
    """Return the split point: the largest power of two smaller than the number of leaves."""
    return span.start + (1 << (span.end - span.start - 1).bit_length() - 1)
