"""Checkpoints as they are kept: one for each size at which the ledger was signed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.kit.database.database import Transaction
from shared.policy.proofs import TreeHead


class SignedCheckpoint(NamedTuple):
    """A checkpoint, and when it was signed by the database's clock."""

    tree: TreeHead
    signed_at: datetime
    note: str


_COLUMNS = "tree_size, root, signed_at, note"

_LATEST = f"""
    -- The checkpoint of the largest tree.
    SELECT {_COLUMNS} FROM checkpoints ORDER BY tree_size DESC LIMIT 1
"""  # noqa: S608 - our own columns

_AFTER = f"""
    -- Checkpoints of trees larger than one size.
    SELECT {_COLUMNS} FROM checkpoints WHERE tree_size > %s ORDER BY tree_size LIMIT %s
"""  # noqa: S608

_ADD = """
    -- Keep a checkpoint; of a tree that was signed before, the one that we have.
    INSERT INTO checkpoints (tree_size, root, note) VALUES (%s, %s, %s) ON CONFLICT (tree_size) DO NOTHING
"""

_RECENT = """
    -- Whether something was signed within this time.
    SELECT EXISTS (SELECT FROM (SELECT signed_at FROM checkpoints ORDER BY tree_size DESC LIMIT 1)
                   WHERE signed_at > clock_timestamp() - %s)
"""


async def find_latest(tx: Transaction) -> SignedCheckpoint | None:
    """Find the checkpoint of the largest tree that was signed."""
    row = await (await tx.execute(_LATEST, binary=True)).fetchone()
    return _signed(row) if row else None


async def list_checkpoints(tx: Transaction, after: int, most: int) -> list[SignedCheckpoint]:
    """List the checkpoints of trees larger than `after`, the smallest first."""
    return [_signed(row) for row in await (await tx.execute(_AFTER, (after, most), binary=True)).fetchall()]


async def add_checkpoint(tx: Transaction, tree: TreeHead, note: str) -> None:
    """Keep a checkpoint."""
    await tx.execute(_ADD, (tree.size, tree.root, note))


async def is_recently_signed(tx: Transaction, within: timedelta) -> bool:
    """Tell whether the latest checkpoint is younger than this."""
    row = await (await tx.execute(_RECENT, (within,))).fetchone()
    return bool(row and row[0])


def _signed(row: Sequence[Any]) -> SignedCheckpoint:
    size, root, signed_at, note = row
    return SignedCheckpoint(TreeHead(size, bytes(root)), signed_at, note)
