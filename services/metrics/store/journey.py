"""Finds cases, and reads their journeys."""

from typing import Final
from uuid import UUID

from services.metrics.domain.journey import JourneyEntry
from services.metrics.domain.records import CaseReference
from shared.kit.database.database import Transaction
from shared.kit.database.rows import read_rows

MOST_ENTRIES_SHOWN: Final = 2000

_FIND_CASE = """
    -- By the case's own id or, as residents know it, by the id of the service request.
    SELECT case_id, service_request_id, origin, external_id, service_code,
        ARRAY(SELECT need FROM need_facts WHERE need_facts.case_id = found.case_id AND need IS NOT NULL) AS needs
    FROM (
        SELECT * FROM case_facts WHERE case_id = %(case_id)s
        UNION ALL
        SELECT * FROM case_facts WHERE service_request_id = %(any_id)s
        LIMIT 1
    ) AS found
"""

_LIST_ENTRIES = """
    SELECT case_id, source, event_id, topic, type, about, sequence, occurred_at, causation_id, traceparent, summary,
        heard_at
    FROM journey_entries WHERE case_id = %(case_id)s ORDER BY heard_at, source, event_id LIMIT %(most)s
"""


async def find_case(tx: Transaction, any_id: str) -> CaseReference | None:
    """Return the case with this case id or service request id; None if metrics knows no such case."""
    found = await read_rows(tx, CaseReference, _FIND_CASE, case_id=_uuid(any_id), any_id=any_id)
    return found[0] if found else None


async def list_entries(tx: Transaction, case_id: UUID) -> list[JourneyEntry]:
    """Return the events of a case, in the order of arrival."""
    return await read_rows(tx, JourneyEntry, _LIST_ENTRIES, case_id=case_id, most=MOST_ENTRIES_SHOWN)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
