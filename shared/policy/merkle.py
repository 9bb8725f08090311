"""A Merkle tree that only grows, as in RFC 6962, kept as its complete subtrees.

Node (level, number) is the root of the complete subtree over the leaves number * 2^level and following. Nodes never
change once they are there, so that what was true of a smaller tree can be computed from a larger one at any time.
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
    """The leaves from `start` to before `end`, as one subtree of a larger tree has them."""

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
    """List the complete subtrees that a tree of this size is made of, the largest first."""
    return nodes_under(LeafRange(0, size))


def nodes_under(span: LeafRange) -> list[Node]:
    """List the complete subtrees that these leaves are made of, from left to right."""
    found, start = [], span.start
    for level in range((span.end - span.start).bit_length() - 1, -1, -1):
        if (span.end - span.start) >> level & 1:
            found.append(Node(level, start >> level))
            start += 1 << level
    return found


def append(size: int, peaks: Nodes, leaves: Sequence[bytes]) -> dict[Node, bytes]:
    """Add leaf hashes to a tree of this size; return the nodes that this completes, the leaves among them.

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
    """List what an inclusion proof of this leaf consists of, from the leaf up: PATH of RFC 6962, section 2.1.1."""
    found, span = [], LeafRange(0, size)
    while span.end - span.start > 1:
        split = _split(span)
        left, right = LeafRange(span.start, split), LeafRange(split, span.end)
        sibling, span = (right, left) if place < split else (left, right)
        found.append(sibling)
    return found[::-1]


def consistency_spans(old: int, new: int) -> list[LeafRange]:
    """List what a proof consists of that the tree of size `new` extends that of size `old`.

    PROOF of RFC 6962, section 2.1.2. Nothing is to be proven where they are equal, or the old one is empty.
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
    """Return where a tree is divided: after the largest power of two that is smaller than it."""
    return span.start + (1 << (span.end - span.start - 1).bit_length() - 1)
