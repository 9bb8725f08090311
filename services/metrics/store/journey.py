"""Journeys, read."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from services.metrics.domain.journey import JourneyEntry
from shared.kit.database.database import Transaction

MOST = 2000
"""So many events of a case are shown, at most."""

_FIND = """
    -- The case by its own id or, as residents know it, by the id of the service request.
    SELECT case_id, service_request_id, origin, external_id, service_code,
        ARRAY(SELECT need FROM need_facts WHERE need_facts.case_id = found.case_id AND need IS NOT NULL) AS needs
    FROM (
        SELECT * FROM case_facts WHERE case_id::text = %(said)s
        UNION ALL
        SELECT * FROM case_facts WHERE service_request_id = %(said)s
        LIMIT 1
    ) AS found
"""

_ENTRIES = """
    SELECT case_id, source, event_id, topic, type, about, sequence, occurred_at, causation_id, traceparent, summary,
        heard_at
    FROM journey_entries WHERE case_id = %s ORDER BY heard_at, source, event_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case, and what else it is called."""

    case_id: UUID
    service_request_id: str | None
    origin: str | None = None
    external_id: str | None = None
    service_code: str | None = None
    needs: Sequence[str] = ()


async def find_case(tx: Transaction, said: str) -> KnownCase | None:
    """Return the case that is called so."""
    async with tx.cursor(row_factory=class_row(KnownCase)) as cursor:
        return await (await cursor.execute(_FIND, {"said": said})).fetchone()


async def list_entries(tx: Transaction, case_id: UUID) -> list[JourneyEntry]:
    """Return what was heard of a case."""
    async with tx.cursor(row_factory=class_row(JourneyEntry)) as cursor:
        return await (await cursor.execute(_ENTRIES, (case_id, MOST))).fetchall()
