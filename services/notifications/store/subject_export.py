"""The rows of the notifications schema about one case, for the person whom it concerns."""

from typing import Final, LiteralString
from uuid import UUID

from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport, export_subject

_QUERIES: Final[dict[str, LiteralString]] = {
    "cases": "SELECT to_jsonb(t) FROM cases AS t WHERE case_id = %(case)s",
    # A mail under an embargo is shown to the person when the embargo ends.
    "deliveries": """
        SELECT to_jsonb(t) FROM deliveries AS t
        WHERE case_id = %(case)s AND (not_before IS NULL OR not_before <= now()) ORDER BY happened_at, id
    """,
}
"""For each table the query of its rows about a case."""


async def export_case(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table; an unknown case has none."""
    return await export_subject(tx, _QUERIES, case_id)
