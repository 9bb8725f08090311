"""Finds cases and their history, without personal data."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg.rows import class_row, dict_row

from services.intake.domain.case import CaseSummary, Note
from services.intake.domain.search import Search, TimeRange
from shared.kit.database.database import Transaction

_SELECT_CASES_SQL = """
    SELECT case_id, service_request_id, service_code, needs, channel, cell, district, status, resolution, agencies,
        submitted_at, updated_at, closed_at, withdrawn_at
    FROM cases
"""

_BY_NUMBER_SQL = _SELECT_CASES_SQL + "WHERE service_request_id = ANY(%s) AND NOT protected"

_CONDITIONS = {
    "services": "service_code = ANY(%(services)s)",
    "statuses": "status = ANY(%(statuses)s)",
    "submitted": "submitted_at BETWEEN %(submitted_from)s AND %(submitted_to)s",
    "updated": "updated_at BETWEEN %(updated_from)s AND %(updated_to)s",
}

_LIST_NOTES_SQL = """
    -- The history of these cases, each in the order of its events.
    SELECT case_id, happened_at, kind, referral_id, need, agency, reason
    FROM notes WHERE case_id = ANY(%s) ORDER BY happened_at, sequence
"""


async def find_cases(connection: Transaction, search: Search) -> list[CaseSummary]:
    """Find cases, newest first; protected cases are never found."""
    async with connection.cursor(row_factory=class_row(CaseSummary)) as cursor:
        if search.numbers:
            await cursor.execute(_BY_NUMBER_SQL, (list(search.numbers),))
        else:
            await cursor.execute(_matching(search), _values(search))
        return await cursor.fetchall()


async def list_notes(connection: Transaction, case_ids: Iterable[UUID]) -> dict[UUID, list[Note]]:
    """Return the history of each of these cases."""
    notes: dict[UUID, list[Note]] = {case_id: [] for case_id in case_ids}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_LIST_NOTES_SQL, (list(notes),))
        async for row in cursor:
            notes[row.pop("case_id")].append(Note(**row))
    return notes


def _matching(search: Search) -> bytes:
    """Write a query with the conditions of this search only, so that PostgreSQL plans with the index that fits them."""
    wanted = [condition for name, condition in _CONDITIONS.items() if getattr(search, name)]
    order = "submitted_at" if search.submitted else "updated_at"
    where = " AND ".join(("NOT protected", *wanted))
    page = f"ORDER BY {order} DESC, case_id DESC LIMIT %(limit)s OFFSET %(offset)s"
    return f"{_SELECT_CASES_SQL} WHERE {where} {page}".encode()


def _values(search: Search) -> dict[str, object]:
    spans = {"submitted": search.submitted, "updated": search.updated}
    moments = {f"{name}_{end}": moment for name, span in spans.items() if span for end, moment in _ends(span)}
    lists: dict[str, Sequence[str]] = {"services": list(search.services), "statuses": list(search.statuses)}
    return {**moments, **lists, "limit": search.limit, "offset": search.offset}


def _ends(span: TimeRange) -> tuple[tuple[str, object], tuple[str, object]]:
    return (("from", span.start), ("to", span.end))
