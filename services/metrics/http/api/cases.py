"""Cases and traces, for operators."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.metrics.domain.journey import JourneyEntry, arrange
from services.metrics.domain.spans import Span
from services.metrics.domain.veiling import veil_entry, veil_span
from services.metrics.jurisdiction import City
from services.metrics.store.journey import KnownCase, find_case, list_entries
from services.metrics.store.spans import list_named, list_spans_of_case, list_trace
from services.metrics.store.subject_export import list_held
from shared.kit.database.database import Database, Transaction
from shared.kit.http.auth import require_staff_key
from shared.kit.http.replies import refuse, reply

UNKNOWN = "No case is known by this id here: neither as a case id nor as a service request id."


def case_routes(database: Database, city: City, staff_key: str) -> list[Route]:
    """Serve `/cases/{case}/journey`, `/cases/{case}/traces` and `/traces/{trace}`; protected reports are veiled."""

    async def journey(request: Request) -> Response:
        async with database.transaction() as tx:
            case = await find_case(tx, request.path_params["case"])
            return reply(await _journey(tx, city, case)) if case else refuse(404, UNKNOWN)

    async def traces(request: Request) -> Response:
        async with database.transaction() as tx:
            case = await find_case(tx, request.path_params["case"])
            return reply(await _traces(tx, city, case)) if case else refuse(404, UNKNOWN)

    async def trace(request: Request) -> Response:
        async with database.transaction() as tx:
            spans = await list_trace(tx, request.path_params["trace"].lower())
            named = [await find_case(tx, str(case_id)) for case_id in {span.case_id for span in spans} if case_id]
        shown = _veiled(spans) if any(is_protected(city, case) for case in named if case) else spans
        return reply({"spans": shown}) if spans else refuse(404, "No span of this trace is kept here.")

    served = {"/cases/{case}/journey": journey, "/cases/{case}/traces": traces, "/traces/{trace}": trace}
    return [Route(path, require_staff_key(endpoint, staff_key)) for path, endpoint in served.items()]


def is_protected(city: City, case: KnownCase) -> bool:
    """Tell whether the very nature of a report is protected."""
    return bool(city.protection.protections_of(case.service_code, case.needs))


async def _journey(tx: Transaction, city: City, case: KnownCase) -> dict[str, Any]:
    entries = arrange(await list_entries(tx, case.case_id))
    shown = [veil_entry(entry) for entry in entries] if is_protected(city, case) else entries
    return {**_names(case), "entries": shown}


async def _traces(tx: Transaction, city: City, case: KnownCase) -> dict[str, Any]:
    known = traces_of(await list_entries(tx, case.case_id))
    spans = await list_spans_of_case(tx, case.case_id, [trace["trace_id"] for trace in known])
    linked = await _linked(tx, spans)
    if is_protected(city, case):
        spans, linked = _veiled(spans), _veiled(linked)
    return {**_names(case), "traces": known, "spans": spans, "linked": linked}


def _veiled(spans: Sequence[Span]) -> list[Span]:
    return [veil_span(span) for span in spans]


def traces_of(entries: Sequence[JourneyEntry]) -> list[dict[str, Any]]:
    """Return the traces that the events of a case were part of, each with whether it was sampled (W3C flag 01)."""
    found: dict[str, bool] = {}
    for entry in entries:
        parts = (entry.traceparent or "").split("-")
        if len(parts) == 4:  # noqa: PLR2004 - version, trace, span, flags
            found[parts[1]] = found.get(parts[1], False) or parts[3].endswith("1")
    return [{"trace_id": trace_id, "sampled": sampled} for trace_id, sampled in found.items()]


async def _linked(tx: Transaction, spans: Sequence[Span]) -> list[Span]:
    """Return the spans that these are linked to, and that are not among them."""
    here = {(span.trace_id, span.span_id) for span in spans}
    there = {(link["trace_id"], link["span_id"]) for span in spans for link in span.links} - here
    return await list_named(tx, there) if there else []


def _names(case: KnownCase) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "service_request_id": case.service_request_id,
        "origin": case.origin,
        "external_id": case.external_id,
    }


def held_routes(database: Database, staff_key: str) -> list[Route]:
    """Serve `/cases/{case_id}/held`."""

    async def held(request: Request) -> Response:
        try:
            case_id = UUID(request.path_params["case_id"])
        except ValueError:
            return refuse(422, "The address holds the id of a case (a UUID).")
        async with database.transaction(notify_commit=False) as tx:
            rows = await list_held(tx, case_id)
        return reply({"service": "metrics", "case_id": str(case_id), "held": rows})

    return [Route("/cases/{case_id}/held", require_staff_key(held, staff_key))]
