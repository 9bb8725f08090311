"""Verifies inclusion proofs of the ledger, independent of the code that makes them."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.policy.merkle import hash_pair


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree head: the number of leaves and the root hash (RFC 6962, section 3.5)."""

    size: int
    root: bytes


def is_included(leaf: bytes, place: int, tree: TreeHead, path: Sequence[bytes]) -> bool:
    """Whether the leaf hash is at this index of the tree (RFC 9162, section 2.1.3.2)."""
    if not 0 <= place < tree.size:
        return False
    here, last, root = place, tree.size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            root = hash_pair(sibling, root)
            here, last = _above_left_edges(here, last)
        else:
            root = hash_pair(root, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and root == tree.root


def _above_left_edges(here: int, last: int) -> tuple[int, int]:
    """Go up while there is nothing to the right of here."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
