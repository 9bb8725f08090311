"""Everything that is held about one case."""

from typing import Any, Final, LiteralString
from uuid import UUID

from shared.kit.database import Transaction

_HELD: Final[dict[str, LiteralString]] = {
    "cases": "SELECT to_jsonb(kept) FROM cases AS kept WHERE case_id = %(case)s",
    # What an agreement lawfully delays is shown to the person when the delay ends.
    "deliveries": """
        SELECT to_jsonb(kept) FROM deliveries AS kept
        WHERE case_id = %(case)s AND (not_before IS NULL OR not_before <= now()) ORDER BY happened_at, id
    """,
    "outbox": "SELECT to_jsonb(kept) - 'raw' FROM outbox AS kept WHERE case_id = %(case)s ORDER BY id",
    "outbox_withheld": "SELECT to_jsonb(kept) FROM outbox_withheld AS kept WHERE case_id = %(case)s ORDER BY event_id",
    "outbox_sequences": "SELECT to_jsonb(kept) FROM outbox_sequences AS kept WHERE case_id = %(case)s ORDER BY topic",
    "dead_letters": """
        SELECT to_jsonb(kept) - 'raw' FROM dead_letters AS kept
        WHERE position(convert_to(%(case)s::text, 'UTF8') IN raw) > 0 ORDER BY created_at
    """,
}
"""Of each table, the rows that are about a case."""


async def list_held(tx: Transaction, case_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Return the rows about a case, by table; what is sealed comes sealed, and none where nothing is held."""
    held = {}
    for table, query in _HELD.items():
        rows = await tx.execute(query, {"case": case_id})
        held[table] = [row for (row,) in await rows.fetchall()]
    return held
