"""Everything that is held about one case."""

from typing import Final, LiteralString
from uuid import UUID

from shared.kit.database import subject_export
from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport

_HELD: Final[dict[str, LiteralString]] = {
    "case_facts": "SELECT to_jsonb(kept) FROM case_facts AS kept WHERE case_id = %(case)s",
    "need_facts": "SELECT to_jsonb(kept) FROM need_facts AS kept WHERE case_id = %(case)s ORDER BY need_id",
    "referral_facts": "SELECT to_jsonb(kept) FROM referral_facts AS kept WHERE case_id = %(case)s ORDER BY referral_id",
    "hold_facts": "SELECT to_jsonb(kept) FROM hold_facts AS kept WHERE case_id = %(case)s ORDER BY event_id",
    "delivery_facts": "SELECT to_jsonb(kept) FROM delivery_facts AS kept WHERE case_id = %(case)s ORDER BY delivery_id",
    "case_clocks": "SELECT to_jsonb(kept) FROM case_clocks AS kept WHERE case_id = %(case)s",
    "referral_clocks": """
        SELECT to_jsonb(kept) FROM referral_clocks AS kept WHERE case_id = %(case)s ORDER BY referral_id
    """,
    "case_tallies": "SELECT to_jsonb(kept) FROM case_tallies AS kept WHERE case_id = %(case)s",
    "stale_cases": "SELECT to_jsonb(kept) FROM stale_cases AS kept WHERE case_id = %(case)s ORDER BY id",
    # What an agreement lawfully delays is shown to the person when the delay ends.
    "journey_entries": """
        SELECT to_jsonb(kept) FROM journey_entries AS kept
        WHERE case_id = %(case)s AND coalesce((summary ->> 'shown_from')::timestamptz <= now(), true)
        ORDER BY occurred_at, source, event_id
    """,
    "spans": "SELECT to_jsonb(kept) FROM spans AS kept WHERE case_id = %(case)s ORDER BY started_ns, span_id",
}
"""Of each table, the rows that are about a case."""


async def list_held(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table; none where nothing is held."""
    return await subject_export.export_subject(tx, _HELD, case_id)
