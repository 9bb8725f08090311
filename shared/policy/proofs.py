"""Checks proofs about the ledger, as whoever trusts nobody else's arithmetic does it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.policy.merkle import EMPTY_ROOT, hash_pair


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree as it is known to whoever checks: how many leaves it has, and its hash."""

    size: int
    root: bytes


def is_included(leaf: bytes, place: int, tree: TreeHead, path: Sequence[bytes]) -> bool:
    """Tell whether the leaf hash has this place in the tree (RFC 9162, section 2.1.3.2)."""
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


def is_extended(old: TreeHead, new: TreeHead, path: Sequence[bytes]) -> bool:
    """Tell whether the new tree has all leaves of the old one, unchanged and in order (RFC 9162, section 2.1.4.2)."""
    if old.size > new.size or old.size < 0:
        return False
    if old.size in {0, new.size}:
        return not path and old.root == (new.root if old.size == new.size else EMPTY_ROOT)
    is_whole = not old.size & (old.size - 1)
    hashes = [old.root, *path] if is_whole else [*path]
    return bool(hashes) and _agrees(old, new, hashes)


def _agrees(old: TreeHead, new: TreeHead, hashes: Sequence[bytes]) -> bool:
    here, last = old.size - 1, new.size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old_root = new_root = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old_root, new_root = hash_pair(sibling, old_root), hash_pair(sibling, new_root)
            here, last = _above_left_edges(here, last)
        else:
            new_root = hash_pair(new_root, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old_root == old.root and new_root == new.root


def _above_left_edges(here: int, last: int) -> tuple[int, int]:
    """Go up while there is nothing to the right of here."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
