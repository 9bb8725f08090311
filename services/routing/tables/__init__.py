"""The tables of the `routing` schema."""

from services.routing.tables.agreements import AgreementRow, PolicySetRow, PolicySetUseRow
from services.routing.tables.cases import CaseRow, ReferralChangeRow, ReferralRow, TriageRow
from services.routing.tables.emergencies import EmergencyAccessRow
from services.routing.tables.ledger import CheckpointRow, LedgerNodeRow, ReceiptRow
from services.routing.tables.schema import SCHEMA, metadata
from services.routing.tables.sharing import ConsentUseRow, RefusedDisclosureRow

__all__ = [
    "SCHEMA",
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
