"""Everything that a service holds about one case: for operators who answer the person whom it is about."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString
from uuid import UUID

from shared.kit.database.database import Transaction

SubjectExport = dict[str, list[dict[str, Any]]]
"""Rows about a case, by table; what is sealed comes sealed."""

KIT_QUERIES: Final[Mapping[str, LiteralString]] = {
    "outbox": "SELECT to_jsonb(kept) - 'raw' FROM outbox AS kept WHERE case_id = %(case)s ORDER BY id",
    "outbox_withheld": "SELECT to_jsonb(kept) FROM outbox_withheld AS kept WHERE case_id = %(case)s ORDER BY event_id",
    "outbox_sequences": "SELECT to_jsonb(kept) FROM outbox_sequences AS kept WHERE case_id = %(case)s ORDER BY topic",
    "dead_letters": """
        SELECT to_jsonb(kept) - 'raw' - 'repaired' FROM dead_letters AS kept
        WHERE position(convert_to(%(case)s::text, 'UTF8') IN raw) > 0 ORDER BY created_at
    """,
}
"""Of each of the kit's tables, the rows that are about a case."""


async def export_subject(tx: Transaction, own: Mapping[str, LiteralString], case_id: UUID) -> SubjectExport:
    """Return the rows about a case: what the queries give of a service's own tables, and those of the kit's."""
    held: SubjectExport = {}
    for table, query in {**own, **KIT_QUERIES}.items():
        rows = await tx.execute(query, {"case": case_id})
        held[table] = [row for (row,) in await rows.fetchall()]
    return held
