"""Reads and writes checkpoints: one for each size at which the ledger was signed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.kit.database.database import Transaction
from shared.policy.proofs import TreeHead


class SignedCheckpoint(NamedTuple):
    """A checkpoint, and when it was signed, by the database's clock."""

    tree: TreeHead
    signed_at: datetime
    note: str


_COLUMNS = "tree_size, root, signed_at, note"

_SELECT_LATEST: Final = f"""
    -- The checkpoint of the largest tree.
    SELECT {_COLUMNS} FROM checkpoints ORDER BY tree_size DESC LIMIT 1
"""  # noqa: S608 - our own columns

_SELECT_AFTER: Final = f"""
    -- Checkpoints of trees larger than one size.
    SELECT {_COLUMNS} FROM checkpoints WHERE tree_size > %s ORDER BY tree_size LIMIT %s
"""  # noqa: S608

_INSERT_CHECKPOINT: Final = """
    -- Another instance may have signed the same tree: the first checkpoint of a size stays.
    INSERT INTO checkpoints (tree_size, root, note) VALUES (%s, %s, %s) ON CONFLICT (tree_size) DO NOTHING
"""

_IS_RECENT: Final = """
    -- Whether the latest checkpoint is younger than an interval.
    SELECT EXISTS (SELECT FROM (SELECT signed_at FROM checkpoints ORDER BY tree_size DESC LIMIT 1)
                   WHERE signed_at > clock_timestamp() - %s)
"""


async def find_latest_checkpoint(tx: Transaction) -> SignedCheckpoint | None:
    """Find the checkpoint of the largest tree."""
    row = await (await tx.execute(_SELECT_LATEST, binary=True)).fetchone()
    return _signed(row) if row else None


async def list_checkpoints(tx: Transaction, after: int, most: int) -> list[SignedCheckpoint]:
    """List the checkpoints of trees larger than `after`, the smallest first."""
    return [_signed(row) for row in await (await tx.execute(_SELECT_AFTER, (after, most), binary=True)).fetchall()]


async def insert_checkpoint(tx: Transaction, tree: TreeHead, note: str) -> None:
    """Store a checkpoint, unless there is one of this size."""
    await tx.execute(_INSERT_CHECKPOINT, (tree.size, tree.root, note))


async def is_recently_signed(tx: Transaction, within: timedelta) -> bool:
    """Tell whether the latest checkpoint is younger than `within`."""
    row = await (await tx.execute(_IS_RECENT, (within,))).fetchone()
    return bool(row and row[0])


def _signed(row: Sequence[Any]) -> SignedCheckpoint:
    size, root, signed_at, note = row
    return SignedCheckpoint(TreeHead(size, bytes(root)), signed_at, note)
