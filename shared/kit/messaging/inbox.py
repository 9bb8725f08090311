"""The inbox: which messages of a batch have not been worked on yet."""

from collections.abc import Sequence
from uuid import UUID

from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal

_ADMIT = """
    -- Note these messages as worked on; only those that were not noted before come back.
    INSERT INTO inbox (source, event_id)
    SELECT * FROM unnest(%s::text::text[], %s::text::uuid[]) AS heard (source, event_id)
    ORDER BY source, event_id
    ON CONFLICT DO NOTHING
    RETURNING source, event_id
"""


async def record_new(tx: Transaction, heard: Sequence[tuple[str, UUID]]) -> set[tuple[str, UUID]]:
    """Return which of these (source, event id) pairs are new to this service, and note them in this transaction.

    A pair that another transaction is noting now is waited for: the two never both get it. Sources are those that
    a language allows, so they hold no quote, comma or brace, and an array can be written as text (lists of Python
    objects cost the driver several times as much).
    """
    if not heard:
        return set()
    sources = array_literal(source for source, _ in heard)
    ids = array_literal(event_id for _, event_id in heard)
    rows = await tx.execute(_ADMIT, (sources, ids), binary=True)
    return set(await rows.fetchall())
