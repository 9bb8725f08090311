"""The inbox: which messages this service has processed, so that a repeat has no effect."""

from collections.abc import Sequence
from uuid import UUID

from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal

_RECORD_NEW_SQL = """
    -- Record these messages as processed, and return those that were not recorded before. The order prevents a deadlock
    -- of two transactions that record some of the same messages.
    INSERT INTO inbox (source, event_id)
    SELECT * FROM unnest(%s::text::text[], %s::text::uuid[]) AS received (source, event_id)
    ORDER BY source, event_id
    ON CONFLICT DO NOTHING
    RETURNING source, event_id
"""


async def record_new(tx: Transaction, identities: Sequence[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    """Record (source, event id) pairs as processed in this transaction, and return those that are new.

    If another transaction is recording a pair, this waits for its end: only one of the two gets the pair. Sources must
    be names that a topic spec allows (see array_literal).
    """
    if not identities:
        return set()
    sources = array_literal(source for source, _ in identities)
    ids = array_literal(event_id for _, event_id in identities)
    rows = await tx.execute(_RECORD_NEW_SQL, (sources, ids), binary=True)
    return set(await rows.fetchall())
