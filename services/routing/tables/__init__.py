"""The tables of the `routing` schema."""

from typing import Final

from services.routing.tables.agreements import AgreementRow, PolicySetRow, PolicySetUseRow
from services.routing.tables.cases import CaseRow, ReferralChangeRow, ReferralRow, TriageRow
from services.routing.tables.emergencies import EmergencyAccessRow
from services.routing.tables.ledger import CheckpointRow, LedgerNodeRow, ReceiptRow
from services.routing.tables.schema import SCHEMA, metadata
from services.routing.tables.sharing import ConsentUseRow, RefusedDisclosureRow
from shared.kit.outbox import STAGE as OUTBOX_STAGE

__all__ = [
    "SCHEMA",
    "STAGING",
    "AgreementRow",
    "CaseRow",
    "CheckpointRow",
    "ConsentUseRow",
    "EmergencyAccessRow",
    "LedgerNodeRow",
    "PolicySetRow",
    "PolicySetUseRow",
    "ReceiptRow",
    "ReferralChangeRow",
    "ReferralRow",
    "RefusedDisclosureRow",
    "TriageRow",
    "metadata",
]

STAGING: Final = (
    OUTBOX_STAGE,
    """
    CREATE TEMP TABLE IF NOT EXISTS referral_stage (
        case_id uuid, referral_id uuid, due_at timestamptz, reminders smallint, state text, last_change text,
        reason text, changed_at timestamptz, changes smallint
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS resolution_stage (
        case_id uuid, resolution text, resolved_at timestamptz
    ) ON COMMIT DELETE ROWS
    """,
)
"""Where COPY puts changed rows before one statement applies them; made once for each connection."""
