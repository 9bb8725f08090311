"""The rows of the metrics schema about one case, for the person whom it concerns."""

from typing import Final, LiteralString
from uuid import UUID

from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport, export_subject

_QUERIES: Final[dict[str, LiteralString]] = {
    "case_facts": "SELECT to_jsonb(t) FROM case_facts AS t WHERE case_id = %(case)s",
    "need_facts": "SELECT to_jsonb(t) FROM need_facts AS t WHERE case_id = %(case)s ORDER BY need_id",
    "referral_facts": "SELECT to_jsonb(t) FROM referral_facts AS t WHERE case_id = %(case)s ORDER BY referral_id",
    "hold_facts": "SELECT to_jsonb(t) FROM hold_facts AS t WHERE case_id = %(case)s ORDER BY event_id",
    "delivery_facts": "SELECT to_jsonb(t) FROM delivery_facts AS t WHERE case_id = %(case)s ORDER BY delivery_id",
    "case_clocks": "SELECT to_jsonb(t) FROM case_clocks AS t WHERE case_id = %(case)s",
    "referral_clocks": """
        SELECT to_jsonb(t) FROM referral_clocks AS t WHERE case_id = %(case)s ORDER BY referral_id
    """,
    "case_tallies": "SELECT to_jsonb(t) FROM case_tallies AS t WHERE case_id = %(case)s",
    "stale_cases": "SELECT to_jsonb(t) FROM stale_cases AS t WHERE case_id = %(case)s ORDER BY id",
    # An entry under an embargo is shown to the person when the embargo ends.
    "journey_entries": """
        SELECT to_jsonb(t) FROM journey_entries AS t
        WHERE case_id = %(case)s AND coalesce((summary ->> 'shown_from')::timestamptz <= now(), true)
        ORDER BY occurred_at, source, event_id
    """,
    "spans": "SELECT to_jsonb(t) FROM spans AS t WHERE case_id = %(case)s ORDER BY started_ns, span_id",
}
"""For each table the query of its rows about a case."""


async def export_case(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table; an unknown case has none."""
    return await export_subject(tx, _QUERIES, case_id)
