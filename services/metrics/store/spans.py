"""Stores spans, finds them by trace and by case, and deletes old ones."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from psycopg import sql

from services.metrics.domain.spans import Span
from services.metrics.store.copy_stages import SPAN_STAGE
from shared.kit.database.database import Transaction
from shared.kit.database.rows import read_rows

MOST_SPANS_SHOWN: Final = 5000
MOST_SPANS_DELETED: Final = 5000
"""In one transaction."""

_INSERT_SPANS = """
    -- A sender that got no answer sends again: skip the spans that are there.
    INSERT INTO spans ({columns}) SELECT {columns} FROM {stage} ON CONFLICT DO NOTHING
"""

_COLUMNS = "trace_id, span_id, parent_id, name, service, kind, started_ns, ended_ns, status, attributes, links"

_LIST_TRACE = f"SELECT {_COLUMNS} FROM spans WHERE trace_id = %(trace_id)s ORDER BY started_ns LIMIT {MOST_SPANS_SHOWN}"  # noqa: S608 - constants

_LIST_CASE = f"""
    -- Many cases may share a trace (an import files hundreds with one request): leave out the steps of the other cases.
    SELECT {_COLUMNS} FROM spans
    WHERE trace_id = ANY(%(traces)s::text[] || ARRAY(SELECT DISTINCT trace_id FROM spans WHERE case_id = %(case)s))
      AND (case_id IS NULL OR case_id = %(case)s)
    ORDER BY started_ns LIMIT {MOST_SPANS_SHOWN}
"""  # noqa: S608 - constants

_LIST_BY_ID = f"""
    SELECT {_COLUMNS} FROM spans JOIN unnest(%(traces)s::text[], %(spans)s::text[]) AS wanted (t, s)
        ON trace_id = t AND span_id = s
"""  # noqa: S608 - constants

_DELETE_OLD = """
    -- The oldest first, a part at a time: a long delete would keep locks, and hold back the vacuum.
    DELETE FROM spans WHERE (trace_id, span_id) IN (
        SELECT trace_id, span_id FROM spans WHERE received_at < now() - %s::interval OR %s
        ORDER BY received_at LIMIT %s)
"""

_ESTIMATE = """
    -- The number of rows by PostgreSQL's statistics: counting millions of rows each minute would cost too much.
    SELECT n_live_tup FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'spans'
"""


async def insert_spans(tx: Transaction, spans: Iterable[Span]) -> None:
    """Store these spans; a span that is there already stays as it is."""
    await SPAN_STAGE.fill(tx, spans)
    await tx.execute(sql.SQL(_INSERT_SPANS).format(columns=SPAN_STAGE.names, stage=SPAN_STAGE.table))


async def list_trace(tx: Transaction, trace_id: str) -> list[Span]:
    """Return the spans of a trace."""
    return await read_rows(tx, Span, _LIST_TRACE, trace_id=trace_id)


async def list_spans_of_case(tx: Transaction, case_id: UUID, trace_ids: Sequence[str]) -> list[Span]:
    """Return the spans of these traces of a case, and of every trace with a span that names the case."""
    return await read_rows(tx, Span, _LIST_CASE, case=case_id, traces=list(trace_ids))


async def list_spans_by_id(tx: Transaction, ids: Iterable[tuple[str, str]]) -> list[Span]:
    """Return the spans with these (trace id, span id); those that are not stored are missing."""
    pairs = sorted(set(ids))
    traces, spans = [trace for trace, _ in pairs], [span for _, span in pairs]
    return await read_rows(tx, Span, _LIST_BY_ID, traces=traces, spans=spans)


async def estimate_spans(tx: Transaction) -> int:
    """Return about how many spans are stored."""
    row = await (await tx.execute(_ESTIMATE)).fetchone()
    return int(row[0]) if row else 0


async def delete_old_spans(tx: Transaction, age: timedelta, excess: int) -> int:
    """Delete some of the spans older than `age`; with `excess` above 0 so many of the oldest, whatever their age.

    Returns how many were deleted; a part of them at a time.
    """
    most = min(MOST_SPANS_DELETED, excess) if excess > 0 else MOST_SPANS_DELETED
    return (await tx.execute(_DELETE_OLD, (age, excess > 0, most))).rowcount
