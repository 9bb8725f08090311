"""Exports everything that routing stores about one case, for its person's subject access request (GDPR, Art. 15)."""

from typing import Any, Final
from uuid import UUID

from services.routing.store.subject_export import list_rows_about
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.person_keys import PersonKeyring
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Database
from shared.kit.database.subject_export import SubjectExport

SEALED: Final = {"referral_changes": ("words",), "emergency_accesses": ("reason", "note")}
"""The columns with words of agencies and reviewers, sealed under the person's key."""


async def export_case(context: RoutingContext, database: Database, case_id: UUID) -> SubjectExport:
    """Return the rows about a case, by table, with sealed words decrypted; null for those of an erased person."""
    async with database.transaction(notify_commit=False) as tx:
        rows = await list_rows_about(tx, case_id)
        if not rows["cases"]:
            return rows
        report = CaseSubmitted.model_validate_json(rows["cases"][0]["report"])
        persons = [report.person_id] if report.person_id else []
        keyring = PersonKeyring(await context.vault.load(tx, persons) if persons else {})
    for table, columns in SEALED.items():
        rows[table] = [_open(row, columns, report, keyring) for row in rows[table]]
    return rows


def _open(
    row: dict[str, Any], columns: tuple[str, ...], report: CaseSubmitted, keyring: PersonKeyring
) -> dict[str, Any]:
    return row | {name: keyring.read(report, row[name]) for name in columns if row[name]}
