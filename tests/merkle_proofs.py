"""Verifies consistency proofs of the ledger, as a reader of two checkpoints does."""

from collections.abc import Sequence

from shared.policy.merkle import EMPTY_ROOT, hash_pair
from shared.policy.proofs import TreeHead


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
            here, last = above_left_edges(here, last)
        else:
            new_root = hash_pair(new_root, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old_root == old.root and new_root == new.root


def above_left_edges(here: int, last: int) -> tuple[int, int]:
    """Go up while there is nothing to the right of here."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
