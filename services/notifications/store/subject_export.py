"""Everything that is held about one case."""

from typing import Final, LiteralString
from uuid import UUID

from shared.kit.database import subject_export
from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport

_HELD: Final[dict[str, LiteralString]] = {
    "cases": "SELECT to_jsonb(kept) FROM cases AS kept WHERE case_id = %(case)s",
    # What an agreement lawfully delays is shown to the person when the delay ends.
    "deliveries": """
        SELECT to_jsonb(kept) FROM deliveries AS kept
        WHERE case_id = %(case)s AND (not_before IS NULL OR not_before <= now()) ORDER BY happened_at, id
    """,
}
"""Of each table, the rows that are about a case."""


async def list_held(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table; none where nothing is held."""
    return await subject_export.export_subject(tx, _HELD, case_id)
