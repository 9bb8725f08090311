"""Spans: kept as they come, found by trace and by case, and thrown away when they are old."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.metrics.domain.spans import Span
from services.metrics.store.copy_stages import SPANS
from shared.kit.database.database import Transaction

MOST = 5000
"""So many spans are shown at once, at most."""

PART = 5000
"""So many spans are deleted in one transaction, at most."""

_KEEP = """
    -- A sender that got no answer sends again: a span is kept once.
    INSERT INTO spans ({columns}) SELECT {columns} FROM {stage} ON CONFLICT DO NOTHING
"""

_COLUMNS = "trace_id, span_id, parent_id, name, service, kind, started_ns, ended_ns, status, attributes, links"

_OF_TRACE = f"SELECT {_COLUMNS} FROM spans WHERE trace_id = %s ORDER BY started_ns LIMIT {MOST}"  # noqa: S608 - constants

_OF_CASE = f"""
    -- A trace may be shared by many cases (an import files hundreds with one request): the others' steps stay out.
    SELECT {_COLUMNS} FROM spans
    WHERE trace_id = ANY(%(traces)s::text[] || ARRAY(SELECT DISTINCT trace_id FROM spans WHERE case_id = %(case)s))
      AND (case_id IS NULL OR case_id = %(case)s)
    ORDER BY started_ns LIMIT {MOST}
"""  # noqa: S608 - constants

_NAMED = f"""
    SELECT {_COLUMNS} FROM spans JOIN unnest(%s::text[], %s::text[]) AS wanted (t, s) ON trace_id = t AND span_id = s
"""  # noqa: S608 - constants

_PRUNE = """
    -- The oldest first, a part at a time: a long delete would hold up everybody else.
    DELETE FROM spans WHERE (trace_id, span_id) IN (
        SELECT trace_id, span_id FROM spans WHERE received_at < now() - %s::interval OR %s
        ORDER BY received_at LIMIT %s)
"""

_ESTIMATE = """
    -- How many spans there are, as the statistics say: counting them would take longer than they are worth.
    SELECT n_live_tup FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'spans'
"""


async def keep_spans(tx: Transaction, spans: Iterable[Span]) -> None:
    """Keep these spans; those that are kept already stay as they are."""
    await SPANS.fill(tx, spans)
    await tx.execute(sql.SQL(_KEEP).format(columns=SPANS.names, stage=SPANS.table))


async def list_trace(tx: Transaction, trace_id: str) -> list[Span]:
    """Return the spans of a trace."""
    async with tx.cursor(row_factory=class_row(Span)) as cursor:
        return await (await cursor.execute(_OF_TRACE, (trace_id,))).fetchall()


async def list_spans_of_case(tx: Transaction, case_id: UUID, trace_ids: Sequence[str]) -> list[Span]:
    """Return the spans of the traces that a case is known to belong to, and of those that name it."""
    async with tx.cursor(row_factory=class_row(Span)) as cursor:
        asked = {"case": case_id, "traces": list(trace_ids)}
        return await (await cursor.execute(_OF_CASE, asked)).fetchall()


async def list_named(tx: Transaction, wanted: Iterable[tuple[str, str]]) -> list[Span]:
    """Return the spans with these (trace id, span id), where they are kept."""
    pairs = sorted(set(wanted))
    async with tx.cursor(row_factory=class_row(Span)) as cursor:
        await cursor.execute(_NAMED, ([trace for trace, _ in pairs], [span for _, span in pairs]))
        return await cursor.fetchall()


async def estimate_spans(tx: Transaction) -> int:
    """Return about how many spans are kept."""
    row = await (await tx.execute(_ESTIMATE)).fetchone()
    return int(row[0]) if row else 0


async def prune_spans(tx: Transaction, age: timedelta, excess: int) -> int:
    """Delete some of the spans that are older than this, or the oldest of those that are too many.

    Returns how many went.
    """
    part = min(PART, excess) if excess > 0 else PART
    return (await tx.execute(_PRUNE, (age, excess > 0, part))).rowcount
