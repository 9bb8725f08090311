"""A tree that is computed as RFC 6962 defines it, without a thought of speed: what the real one is held against."""

from collections.abc import Sequence
from hashlib import sha256


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, over leaves that are not hashed yet."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = _split(len(leaves))
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_path(place: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if place < split:
        return [*naive_path(place, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(place - split, leaves[split:]), naive_root(leaves[:split])]


def naive_extension(old: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = _split(len(leaves))
    if old <= split:
        return [*naive_extension(old, leaves[:split], whole=whole), naive_root(leaves[split:])]
    return [*naive_extension(old - split, leaves[split:], whole=False), naive_root(leaves[:split])]


def _split(length: int) -> int:
    split = 1
    while split * 2 < length:
        split *= 2
    return split
