"""Everything that routing holds about one case."""

from typing import Final, LiteralString
from uuid import UUID

from shared.kit.database import subject_export
from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport

_HELD: Final[dict[str, LiteralString]] = {
    "cases": "SELECT to_jsonb(kept) FROM cases AS kept WHERE case_id = %(case)s",
    "referrals": "SELECT to_jsonb(kept) FROM referrals AS kept WHERE case_id = %(case)s ORDER BY attempt, referral_id",
    "referral_changes": """
        SELECT to_jsonb(kept) FROM referral_changes AS kept WHERE case_id = %(case)s ORDER BY referral_id, number
    """,
    "triage": "SELECT to_jsonb(kept) FROM triage AS kept WHERE case_id = %(case)s ORDER BY entered_at, need_id",
    # What an agreement lawfully delays is shown to the person when the delay ends.
    "receipts": """
        SELECT to_jsonb(kept) FROM receipts AS kept
        WHERE case_id = %(case)s AND coalesce(shown_from <= now(), true) ORDER BY given_at, receipt_id
    """,
    "consent_uses": """
        SELECT to_jsonb(kept) FROM consent_uses AS kept WHERE case_id = %(case)s ORDER BY consent_id, receipt_id
    """,
    "refused_disclosures": """
        SELECT to_jsonb(kept) FROM refused_disclosures AS kept WHERE case_id = %(case)s ORDER BY refused_at, agency
    """,
    "emergency_accesses": """
        SELECT to_jsonb(kept) FROM emergency_accesses AS kept
        WHERE case_id = %(case)s AND NOT EXISTS (
            SELECT FROM receipts WHERE receipts.case_id = kept.case_id AND receipts.agency = kept.agency
                AND channel = 'emergency' AND shown_from > now()
        )
        ORDER BY opened_at, access_id
    """,
}
"""Of each table, the rows that are about a case."""


async def list_held(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table; none where nothing is held."""
    return await subject_export.export_subject(tx, _HELD, case_id)
