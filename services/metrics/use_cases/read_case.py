"""Reads the journey, the traces and the stored rows of a case, for operators; those of a protected report redacted."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.metrics.domain.city import MetricsCity
from services.metrics.domain.journey import JourneyEntry, order_entries
from services.metrics.domain.records import CaseReference
from services.metrics.domain.redaction import redact_entry, redact_span
from services.metrics.domain.spans import Span
from services.metrics.store.journey import find_case, list_entries
from services.metrics.store.spans import list_spans_by_id, list_spans_of_case, list_trace
from services.metrics.store.subject_export import export_case
from shared.kit.database.database import Database, Transaction
from shared.kit.database.subject_export import SubjectExport


@dataclass(frozen=True, slots=True)
class CaseJourney:
    """A case with its events, in order."""

    case: CaseReference
    entries: Sequence[JourneyEntry]


@dataclass(frozen=True, slots=True)
class TraceReference:
    """A trace that an event of a case was part of, and whether it was sampled."""

    trace_id: str
    sampled: bool


@dataclass(frozen=True, slots=True)
class CaseTraces:
    """A case with the spans of its traces, and the spans of other traces that these link to."""

    case: CaseReference
    traces: Sequence[TraceReference]
    spans: Sequence[Span]
    linked: Sequence[Span]


async def read_journey(database: Database, city: MetricsCity, any_id: str) -> CaseJourney | None:
    """Return the journey of the case with this case id or service request id; None for an unknown case."""
    async with database.transaction(notify_commit=False) as tx:
        case = await find_case(tx, any_id)
        if case is None:
            return None
        entries = order_entries(await list_entries(tx, case.case_id))
    return CaseJourney(case, [redact_entry(entry) for entry in entries] if _is_protected(city, case) else entries)


async def read_case_traces(database: Database, city: MetricsCity, any_id: str) -> CaseTraces | None:
    """Return the traces of the case with this case id or service request id; None for an unknown case."""
    async with database.transaction(notify_commit=False) as tx:
        case = await find_case(tx, any_id)
        if case is None:
            return None
        traces = traces_of(await list_entries(tx, case.case_id))
        spans = await list_spans_of_case(tx, case.case_id, [trace.trace_id for trace in traces])
        linked = await _list_linked(tx, spans)
    if _is_protected(city, case):
        spans, linked = _redact(spans), _redact(linked)
    return CaseTraces(case, traces, spans, linked)


async def read_trace(database: Database, city: MetricsCity, trace_id: str) -> list[Span]:
    """Return the spans of one trace, redacted if one of its cases is protected; none for an unknown trace."""
    async with database.transaction(notify_commit=False) as tx:
        spans = await list_trace(tx, trace_id)
        cases = [await find_case(tx, str(case_id)) for case_id in {span.case_id for span in spans} if case_id]
    return _redact(spans) if any(_is_protected(city, case) for case in cases if case) else spans


async def read_subject_export(database: Database, case_id: UUID) -> SubjectExport:
    """Return every row that metrics holds about a case, by table."""
    async with database.transaction(notify_commit=False) as tx:
        return await export_case(tx, case_id)


def traces_of(entries: Sequence[JourneyEntry]) -> list[TraceReference]:
    """Return the traces that the events of a case were part of; sampled if one of them has the flag 01 (W3C)."""
    found: dict[str, bool] = {}
    for entry in entries:
        parts = (entry.traceparent or "").split("-")
        if len(parts) == 4:  # noqa: PLR2004 - version, trace, span, flags
            found[parts[1]] = found.get(parts[1], False) or parts[3].endswith("1")
    return [TraceReference(trace_id, sampled) for trace_id, sampled in found.items()]


async def _list_linked(tx: Transaction, spans: Sequence[Span]) -> list[Span]:
    """Return the spans that these link to and that are not among them."""
    present = {(span.trace_id, span.span_id) for span in spans}
    linked = {(link["trace_id"], link["span_id"]) for span in spans for link in span.links} - present
    return await list_spans_by_id(tx, linked) if linked else []


def _is_protected(city: MetricsCity, case: CaseReference) -> bool:
    return bool(city.protection.protections_of(case.service_code, case.needs))


def _redact(spans: Sequence[Span]) -> list[Span]:
    return [redact_span(span) for span in spans]
