"""Everything that is held about one case."""

from typing import Any, Final, LiteralString
from uuid import UUID

from shared.kit.database import Transaction

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
    """Return the rows about a case, by table; none where nothing is held."""
    held = {}
    for table, query in _HELD.items():
        rows = await tx.execute(query, {"case": case_id})
        held[table] = [row for (row,) in await rows.fetchall()]
    return held
