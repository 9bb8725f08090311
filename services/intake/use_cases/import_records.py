"""Imports service requests of another system: each record opens one case, however often it is sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from services.intake.domain.import_record import (
    ReadableRecord,
    UnreadableRecord,
    case_from_record,
    personal_of,
    read_record,
    remarks_on,
    source_details,
)
from services.intake.domain.new_case import NewCase
from services.intake.store.new_cases import PendingCase, find_known_records, insert_cases
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.file_report import new_identifiers, seal_person
from shared.kit.observability.traces import CASE_ID, span, traceparent_of


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one record; `reason` says why it was refused, `remarks` what is doubtful about it."""

    external_id: str
    outcome: Literal["created", "duplicate", "refused"]
    reason: str | None = None
    remarks: tuple[str, ...] = ()


async def import_records(context: IntakeContext, source: str, records: Iterable[Any]) -> list[ImportResult]:
    """Import records of a source, as parsed JSON; returns a result for each, in their order.

    A record that cannot be read is refused by itself. All others are written in one statement, or none of them.

    Raises:
        psycopg.Error: the database is unavailable: sending the same records again completes the import.
    """
    read = [read_record(each, context.jurisdiction) for each in records]
    created = await _open_cases(context, source, [each for each in read if isinstance(each, ReadableRecord)])
    return list(_results(read, created))


async def _open_cases(context: IntakeContext, source: str, readable: Sequence[ReadableRecord]) -> set[str]:
    """Open a case for each record that is not known, and return the external ids of those that were opened."""
    first: dict[str, ReadableRecord] = {}
    for each in readable:
        first.setdefault(each.record.external_id, each)
    async with context.database.statement() as connection:
        known = await find_known_records(connection, source, first)
        pending = [await _pending(context, source, each) for name, each in first.items() if name not in known]
        opened = await insert_cases(connection, pending) if pending else set()
    cases = [each.case for each in pending]
    return {case.origin.external_id or "" for case in cases if case.identity.case_id in opened}


async def _pending(context: IntakeContext, source: str, readable: ReadableRecord) -> PendingCase:
    """Make a case of a record, as the start of a trace of its own: one trace follows one case."""
    case = await _case(context, source, readable)
    with span("import record", None) as active:
        if case.announced:
            active.set_attribute(CASE_ID, str(case.identity.case_id))
        return PendingCase(case, traceparent=traceparent_of(active))


async def _case(context: IntakeContext, source: str, readable: ReadableRecord) -> NewCase:
    identity = await new_identifiers(context, readable.record.requested_at, public=not readable.protections)
    sealed = seal_person(context, personal_of(readable), source_details(readable.record))
    return case_from_record(readable, identity, sealed, source, context.jurisdiction)


def _results(read: Iterable[ReadableRecord | UnreadableRecord], created: set[str]) -> Iterable[ImportResult]:
    fresh = set(created)
    for each in read:
        if isinstance(each, UnreadableRecord):
            yield ImportResult(each.external_id, "refused", each.reason)
            continue
        name, remarks = each.record.external_id, tuple(str(remark) for remark in remarks_on(each.record))
        yield ImportResult(name, "created" if name in fresh else "duplicate", None, remarks)
        fresh.discard(name)  # the same record twice in one request: the second is a duplicate of the first
