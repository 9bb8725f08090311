"""The subject access export of one case: everything that routing holds about it (GDPR Art. 15)."""

from typing import Final, LiteralString
from uuid import UUID

from shared.kit.database import subject_export
from shared.kit.database.database import Transaction
from shared.kit.database.subject_export import SubjectExport

_QUERIES: Final[dict[str, LiteralString]] = {
    "cases": "SELECT to_jsonb(r) FROM cases AS r WHERE case_id = %(case)s",
    "referrals": "SELECT to_jsonb(r) FROM referrals AS r WHERE case_id = %(case)s ORDER BY attempt, referral_id",
    "referral_changes": """
        SELECT to_jsonb(r) FROM referral_changes AS r WHERE case_id = %(case)s ORDER BY referral_id, number
    """,
    "triage": "SELECT to_jsonb(r) FROM triage AS r WHERE case_id = %(case)s ORDER BY entered_at, need_id",
    # A receipt under embargo is exported when the embargo ends.
    "receipts": """
        SELECT to_jsonb(r) FROM receipts AS r
        WHERE case_id = %(case)s AND coalesce(shown_from <= now(), true) ORDER BY given_at, receipt_id
    """,
    "consent_uses": """
        SELECT to_jsonb(r) FROM consent_uses AS r WHERE case_id = %(case)s ORDER BY consent_id, receipt_id
    """,
    "refused_disclosures": """
        SELECT to_jsonb(r) FROM refused_disclosures AS r WHERE case_id = %(case)s ORDER BY refused_at, agency
    """,
    # While the receipt of an emergency disclosure is under embargo, so is the access.
    "emergency_accesses": """
        SELECT to_jsonb(r) FROM emergency_accesses AS r
        WHERE case_id = %(case)s AND NOT EXISTS (
            SELECT FROM receipts WHERE receipts.case_id = r.case_id AND receipts.agency = r.agency
                AND channel = 'emergency' AND shown_from > now()
        )
        ORDER BY opened_at, access_id
    """,
}
"""For each table, the query for the rows about a case."""


async def list_rows_about(tx: Transaction, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table; a table without any has an empty list."""
    return await subject_export.export_subject(tx, _QUERIES, case_id)
