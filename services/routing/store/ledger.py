"""Stores the ledger's Merkle tree: the nodes over the receipts that have a place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal, copy_text
from shared.policy.merkle import LeafRange, Node


class DamagedLedgerError(Exception):
    """What is stored of the ledger contradicts itself; the text says how."""


@dataclass(frozen=True, slots=True)
class TreeExtent:
    """The size of the ledger, and what lies outside of its tree.

    `waiting` counts receipts without a place, up to a thousand. The strays are the first 20 places and nodes that the
    tree does not have.
    """

    leaves: int
    waiting: int
    stray_places: Sequence[int]
    stray_nodes: Sequence[Node]


_LOCK_LEDGER: Final = """
    -- Only one sequencer adds to the ledger at a time. Its statements are cached while the tables are small: with these
    -- settings their plans use the indexes, also when the tables have grown.
    SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '_ledger'), 0),
        set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
        set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
"""

_SELECT_SIZE: Final = """
    -- How many leaves the tree has.
    SELECT coalesce((SELECT number + 1 FROM ledger_nodes WHERE level = 0 ORDER BY number DESC LIMIT 1), 0)
"""

_SELECT_NODES: Final = """
    -- Nodes by their addresses.
    SELECT n.level, n.number, n.hash
    FROM unnest(%s::text::smallint[], %s::text::bigint[]) AS w (level, number) JOIN ledger_nodes n USING (level, number)
"""

_SELECT_NODES_OVER: Final = """
    -- The nodes that some leaves complete, the leaves among them.
    SELECT n.level, n.number, n.hash
    FROM generate_series(0, 62) AS l (level) JOIN ledger_nodes n
        ON n.level = l.level AND n.number >= (%(start)s::bigint >> l.level) AND n.number < (%(end)s::bigint >> l.level)
"""

_SELECT_EXTENT: Final = """
    -- The size of the tree, and what lies outside of it.
    WITH tree AS (
        SELECT coalesce((SELECT number + 1 FROM ledger_nodes WHERE level = 0 ORDER BY number DESC LIMIT 1), 0) AS leaves
    )
    SELECT leaves,
        (SELECT count(*) FROM (SELECT FROM receipts WHERE place IS NULL LIMIT 1000)),
        ARRAY(SELECT place FROM receipts WHERE place < 0 OR place >= leaves ORDER BY place LIMIT 20),
        ARRAY(SELECT ARRAY[n.level, n.number] FROM generate_series(0, 62) AS l (level) JOIN ledger_nodes n
              ON n.level = l.level AND (n.number < 0 OR n.number >= (leaves >> l.level)) LIMIT 20)
    FROM tree
"""

_SELECT_OLDEST_WAIT: Final = """
    -- For how many seconds the oldest receipt without a place has waited.
    SELECT extract(epoch FROM clock_timestamp() - (
        SELECT given_at FROM receipts WHERE place IS NULL ORDER BY given_at, receipt_id LIMIT 1
    ))
"""


async def lock_ledger(tx: Transaction) -> bool:
    """Lock the ledger until the transaction ends; False if another transaction has the lock."""
    row = await (await tx.execute(_LOCK_LEDGER)).fetchone()
    return bool(row and row[0])


async def read_size(tx: Transaction) -> int:
    """Return the number of receipts that have a place."""
    row = await (await tx.execute(_SELECT_SIZE, binary=True)).fetchone()
    return int(row[0]) if row else 0


async def insert_nodes(tx: Transaction, nodes: Mapping[Node, bytes]) -> None:
    """Insert new nodes."""
    lines = [f"{level}\t{number}\t\\\\x{found.hex()}\n" for (level, number), found in nodes.items()]
    await copy_text(tx, "ledger_nodes (level, number, hash)", "".join(lines))


async def load_nodes(tx: Transaction, wanted: Iterable[Node]) -> dict[Node, bytes]:
    """Return these nodes.

    Raises:
        DamagedLedgerError: one of them is missing.
    """
    addresses = {*wanted}
    arrays = (array_literal(node.level for node in addresses), array_literal(node.number for node in addresses))
    found = _nodes(await (await tx.execute(_SELECT_NODES, arrays, binary=True)).fetchall()) if addresses else {}
    if missing := addresses - found.keys():
        raise DamagedLedgerError(f"node {min(missing)} of the tree is missing")
    return found


async def list_nodes(tx: Transaction, span: LeafRange) -> dict[Node, bytes]:
    """List the nodes that these leaves complete, and the leaves themselves."""
    return _nodes(await (await tx.execute(_SELECT_NODES_OVER, span._asdict(), binary=True)).fetchall())


async def read_extent(tx: Transaction) -> TreeExtent:
    """Return the size of the ledger, and what lies outside of its tree."""
    ((leaves, waiting, places, nodes),) = await (await tx.execute(_SELECT_EXTENT)).fetchall()
    return TreeExtent(leaves, waiting, places, [Node(*node) for node in nodes])


async def oldest_unplaced_seconds(tx: Transaction) -> float:
    """Return for how many seconds the oldest receipt without a place has waited; 0 if there is none."""
    row = await (await tx.execute(_SELECT_OLDEST_WAIT)).fetchone()
    return float(row[0]) if row and row[0] is not None else 0.0


def _nodes(rows: Iterable[Sequence[Any]]) -> dict[Node, bytes]:
    return {Node(level, number): bytes(found) for level, number, found in rows}
