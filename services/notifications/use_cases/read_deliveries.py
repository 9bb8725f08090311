"""Reads what operators see of mails: those of one case, counts of all, and the stored rows about a case."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.notifications.domain.deliveries import DeliveryStatus, StateCount
from services.notifications.store.cases import find_protection
from services.notifications.store.deliveries import count_by_state, list_statuses
from services.notifications.store.subject_export import export_case
from shared.kit.database.database import Database
from shared.kit.database.subject_export import SubjectExport
from shared.policy.protection import ProtectionRules


async def read_deliveries(database: Database, case_id: UUID, protection: ProtectionRules) -> Sequence[DeliveryStatus]:
    """Return the mails of a case; those of a protected report without the agency, which may reveal what it is about."""
    async with database.transaction(notify_commit=False) as tx:
        case = await find_protection(tx, case_id)
        statuses = await list_statuses(tx, case_id)
    if case and (case.protects or protection.protections_of(case.service_code, ())):
        return [replace(status, agency=None) for status in statuses]
    return statuses


async def count_deliveries(database: Database) -> Sequence[StateCount]:
    """Return how many mails of each template are in each state."""
    async with database.transaction(notify_commit=False) as tx:
        return await count_by_state(tx)


async def read_subject_export(database: Database, case_id: UUID) -> SubjectExport:
    """Return every row that notifications holds about a case, by table."""
    async with database.transaction(notify_commit=False) as tx:
        return await export_case(tx, case_id)
