"""Subject access export: all rows of a service about one case, for the person whom the case is about."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString
from uuid import UUID

from shared.kit.database.database import Transaction

SubjectExport = dict[str, list[dict[str, Any]]]
"""Rows about a case, by table; sealed values stay sealed."""

KIT_QUERIES: Final[Mapping[str, LiteralString]] = {
    "outbox": "SELECT to_jsonb(t) - 'raw' FROM outbox AS t WHERE case_id = %(case)s ORDER BY id",
    "outbox_withheld": "SELECT to_jsonb(t) FROM outbox_withheld AS t WHERE case_id = %(case)s ORDER BY event_id",
    "outbox_sequences": "SELECT to_jsonb(t) FROM outbox_sequences AS t WHERE case_id = %(case)s ORDER BY topic",
    "dead_letters": """
        SELECT to_jsonb(t) - 'raw' - 'repaired' FROM dead_letters AS t
        WHERE position(convert_to(%(case)s::text, 'UTF8') IN raw) > 0 ORDER BY created_at
    """,
}
"""For each of the kit's tables, the query for the rows about a case."""


async def export_subject(tx: Transaction, own: Mapping[str, LiteralString], case_id: UUID) -> SubjectExport:
    """Return the rows about a case; `own` has a query for each of the service's own tables, `%(case)s` is the case."""
    export: SubjectExport = {}
    for table, query in {**own, **KIT_QUERIES}.items():
        rows = await tx.execute(query, {"case": case_id})
        export[table] = [row for (row,) in await rows.fetchall()]
    return export
