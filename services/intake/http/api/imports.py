"""`POST /imports/{source}`: records of another system, many at once, each taken in once or refused by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.import_record import ImportRecord, remarks_on
from services.intake.domain.new_case import CaseIdentity, NewCase, service_request_id
from services.intake.domain.problems import Refusal, refusal
from services.intake.domain.records import (
    ReadableRecord,
    UnreadableRecord,
    case_from_record,
    personal_of,
    read_record,
    rest_of,
)
from services.intake.http.api.bodies import headers_of, read_body
from services.intake.http.api.formats import Format, answer, refuse
from services.intake.http.api.requests import allowed
from services.intake.store import records as store
from services.intake.store.new_cases import PendingCase, open_cases
from services.intake.use_cases.api_keys import IMPORT
from services.intake.use_cases.context import IntakeContext, new_id, take_number
from services.intake.use_cases.file_report import seal
from shared.events.event import Slug
from shared.kit.observability.traces import CASE_ID, span, traceparent_of

LARGEST_BODY = 16 * 1_048_576
MOST_RECORDS = 500

BAD_BODY = refusal(HTTPStatus.BAD_REQUEST, 'the body must be JSON: {"records": [...]}')
TOO_MANY = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MOST_RECORDS} records at once")
BAD_SOURCE = refusal(HTTPStatus.NOT_FOUND, "the source must be named in lower-case letters, digits and hyphens")

_source = TypeAdapter(Slug)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one record: created, duplicate or refused."""

    external_id: str
    outcome: str
    reason: str | None = None
    remarks: tuple[str, ...] = ()


async def post_records(context: IntakeContext, form: Format, request: Request) -> Response:
    """Take in records."""
    with span("POST /imports", headers_of(request.scope).get(b"traceparent", b"").decode("latin-1")):
        results = await _import(context, request)
    if isinstance(results, Refusal):
        return refuse(form, results)
    return answer(form, "results", {"results": [_shown(result) for result in results]})


async def _import(context: IntakeContext, request: Request) -> list[ImportResult] | Refusal:
    caller = await allowed(context, headers_of(request.scope), {}, IMPORT)
    if isinstance(caller, Refusal):
        return caller
    source = request.path_params["source"]
    try:
        _source.validate_python(source)
    except ValidationError:
        return BAD_SOURCE
    body = await read_body(headers_of(request.scope), request.receive, LARGEST_BODY)
    said = body if isinstance(body, Refusal) else _read_records(body)
    if isinstance(said, Refusal):
        return said
    read = [_read(context, each) for each in said]
    created = await _keep(context, source, [each for each in read if isinstance(each, ReadableRecord)])
    return list(_results(read, created))


def _read_records(body: bytes) -> list[Any] | Refusal:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return BAD_BODY
    records = said.get("records") if isinstance(said, dict) else None
    if not isinstance(records, list):
        return BAD_BODY
    return TOO_MANY if len(records) > MOST_RECORDS else records


def _read(context: IntakeContext, said: Any) -> ReadableRecord | UnreadableRecord:
    try:
        record = ImportRecord.model_validate(said)
    except ValidationError as error:
        name = said.get("external_id") if isinstance(said, dict) else None
        return UnreadableRecord(name if isinstance(name, str) else "", _first_problem(error))
    return read_record(record, context.jurisdiction)


def _first_problem(error: ValidationError) -> str:
    """Say what is wrong and where, without the value: it may be personal."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'record'}: {first['msg']}"


async def _keep(context: IntakeContext, source: str, readable: Sequence[ReadableRecord]) -> set[str]:
    """Keep what is new, all of it or nothing, and return its external ids."""
    first: dict[str, ReadableRecord] = {}
    for each in readable:
        first.setdefault(each.record.external_id, each)
    async with context.database.statement() as connection:
        known = await store.find_known(connection, source, first)
        entries = [await _entry(context, source, each) for name, each in first.items() if name not in known]
        opened = await open_cases(connection, entries) if entries else set()
    filings = [entry.filing for entry in entries]
    return {filing.origin.external_id or "" for filing in filings if filing.identity.case_id in opened}


async def _entry(context: IntakeContext, source: str, readable: ReadableRecord) -> PendingCase:
    """Make a case of a record, as the start of a trace of its own."""
    filing = await _file(context, source, readable)
    with span("import record", None) as active:
        if filing.announced:
            active.set_attribute(CASE_ID, str(filing.identity.case_id))
        return PendingCase(filing, traceparent=traceparent_of(active))


async def _file(context: IntakeContext, source: str, readable: ReadableRecord) -> NewCase:
    moment = context.clock()
    case_id = new_id(moment)
    requested = readable.record.requested_at.astimezone(context.jurisdiction.city.zone)
    number = service_request_id(await take_number(context, shown=readable.protects is None), requested)
    identity = CaseIdentity(case_id, number, context.tokens.hash_of(case_id))
    sealed = seal(context, new_id(moment), personal_of(readable), rest_of(readable.record))
    return case_from_record(readable, identity, sealed, (source, context.jurisdiction))


def _results(read: Iterable[ReadableRecord | UnreadableRecord], created: set[str]) -> Iterable[ImportResult]:
    fresh = set(created)
    for each in read:
        if isinstance(each, UnreadableRecord):
            yield ImportResult(each.external_id, "refused", each.reason)
            continue
        name, remarks = each.record.external_id, tuple(str(remark) for remark in remarks_on(each.record))
        yield ImportResult(name, "created" if name in fresh else "duplicate", None, remarks)
        fresh.discard(name)


def _shown(result: ImportResult) -> dict[str, Any]:
    return {
        "external_id": result.external_id,
        "outcome": result.outcome,
        "reason": result.reason,
        "remarks": list(result.remarks),
    }
