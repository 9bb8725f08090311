"""Stores who reported which case; and that a person was erased, which stays whatever events arrive later."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from uuid import UUID

from psycopg.rows import kwargs_row

from services.notifications.domain.reporters import CaseProtection, Reporter, ReporterErasure
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal, rows_to_json

_INSERT_CASES = """
    -- Insert a row for each new case, in one order everywhere, so that two writers do not deadlock.
    INSERT INTO cases (case_id) SELECT id FROM unnest(%s::uuid[]) AS new (id) ORDER BY id ON CONFLICT DO NOTHING
"""

_LOCK_CASES = """
    -- The two topics have a consumer each. The lock makes the events of a case on the other topic wait until this
    -- transaction ends.
    SELECT case_id FROM cases WHERE case_id = ANY(%s::uuid[]) ORDER BY case_id FOR UPDATE
"""

_SAVE_REPORTERS = """
    -- Save who reported these cases. The first report counts. Of an erased person save only that there was a report.
    UPDATE cases SET silent = filed.imported, filed_at = filed.filed_at,
        (service_request_id, service_code, language, person_id, contact, protects) = (
            SELECT filed.service_request_id, filed.service_code, filed.language, filed.person_id, filed.contact,
                filed.protects
            WHERE cases.erased_at IS NULL)
    FROM jsonb_to_recordset(%s::text::jsonb) AS filed (case_id uuid, service_request_id text, service_code text,
        language text, person_id uuid, contact text, protects text, imported boolean, filed_at timestamptz)
    WHERE cases.case_id = filed.case_id AND cases.filed_at IS NULL
"""

_QUEUE_WAITING = """
    -- Queue the mails that waited for their case.
    UPDATE deliveries SET state = 'queued', next_try_at = GREATEST(now(), not_before)
    FROM cases
    WHERE deliveries.state = 'waiting' AND cases.case_id = deliveries.case_id
        AND NOT cases.silent AND cases.case_id = ANY(%s::uuid[])
"""

_DELETE_WAITING_OF_IMPORTED = """
    -- Delete the mails that waited for a case that turned out to be imported: its reporter gets none.
    DELETE FROM deliveries USING cases
    WHERE deliveries.state = 'waiting' AND cases.case_id = deliveries.case_id
        AND cases.silent AND cases.case_id = ANY(%s::uuid[])
"""

_ERASE_REPORTERS = """
    -- Keep of these cases only that there was a report, and that its reporter was erased.
    UPDATE cases SET erased_at = erased.erased_at, service_request_id = NULL, service_code = NULL, language = NULL,
        person_id = NULL, contact = NULL, protects = NULL
    FROM jsonb_to_recordset(%s::text::jsonb) AS erased (case_id uuid, erased_at timestamptz)
    WHERE cases.case_id = erased.case_id AND cases.erased_at IS NULL
"""

_ERASE_DELIVERIES = """
    -- Keep of the mails to these reporters that they were sent, so that none is sent again. Queue the others without
    -- their details: the send worker suppresses them and publishes why.
    UPDATE deliveries SET agency = NULL, detail = NULL, traceparent = NULL, not_before = NULL,
        state = CASE state WHEN 'waiting' THEN 'queued' ELSE state END, next_try_at = LEAST(next_try_at, now())
    FROM cases
    WHERE recipient = 'reporter' AND cases.case_id = deliveries.case_id AND NOT cases.silent
        AND cases.case_id = ANY(%s::uuid[])
"""

_FIND_PROTECTION = "SELECT service_code, protects FROM cases WHERE case_id = %s"


async def save_reporters(tx: Transaction, reporters: Sequence[Reporter]) -> None:
    """Store who reported these cases, and queue the mails that waited for them."""
    if not reporters:
        return
    ids = await lock_cases(tx, {reporter.case_id for reporter in reporters})
    await tx.execute(_SAVE_REPORTERS, (rows_to_json([asdict(reporter) for reporter in reporters]),))
    await tx.execute(_QUEUE_WAITING, (ids,))
    await tx.execute(_DELETE_WAITING_OF_IMPORTED, (ids,))


async def erase_reporters(tx: Transaction, erasures: Sequence[ReporterErasure]) -> None:
    """Delete who reported these cases, for good: a report that arrives again does not bring the person back."""
    if not erasures:
        return
    ids = await lock_cases(tx, {erasure.case_id for erasure in erasures})
    await tx.execute(_ERASE_REPORTERS, (rows_to_json([asdict(erasure) for erasure in erasures]),))
    await tx.execute(_ERASE_DELIVERIES, (ids,))


async def lock_cases(tx: Transaction, case_ids: Iterable[UUID]) -> str:
    """Lock these cases until the transaction ends, new ones included; return their ids as an array literal."""
    ids = array_literal(sorted(set(case_ids)))
    await tx.execute(_INSERT_CASES, (ids,))
    await tx.execute(_LOCK_CASES, (ids,))
    return ids


async def find_protection(tx: Transaction, case_id: UUID) -> CaseProtection | None:
    """Return what protects a case; None for a case of which no event has arrived."""
    async with tx.cursor(row_factory=kwargs_row(_protection)) as cursor:
        await cursor.execute(_FIND_PROTECTION, (case_id,))
        return await cursor.fetchone()


def _protection(service_code: str | None, protects: str | None) -> CaseProtection:
    return CaseProtection(service_code, FieldGroup(protects) if protects else None)
