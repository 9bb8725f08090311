"""Who reported which case; and that somebody has been erased, which outlasts everything that is heard of them later."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from services.notifications.domain.reporters import Erased, Reporter
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal, rows_to_json

_MEET = """
    -- Make a row for each case that is new to us, in one order everywhere, so that two writers cannot block each other.
    INSERT INTO cases (case_id) SELECT id FROM unnest(%s::uuid[]) AS heard (id) ORDER BY id ON CONFLICT DO NOTHING
"""

_LOCK = """
    -- Hold these cases: what is heard of them on the other topic waits until this transaction has ended.
    SELECT case_id FROM cases WHERE case_id = ANY(%s::uuid[]) ORDER BY case_id FOR UPDATE
"""

_LEARN = """
    -- Note who reported these cases; the first report counts. Of somebody who has been erased: that they did.
    UPDATE cases SET silent = filed.silent, filed_at = filed.filed_at,
        (service_request_id, service_code, language, person_id, contact, protects) = (
            SELECT filed.service_request_id, filed.service_code, filed.language, filed.person_id, filed.contact,
                filed.protects
            WHERE cases.erased_at IS NULL)
    FROM jsonb_to_recordset(%s::text::jsonb) AS filed (case_id uuid, service_request_id text, service_code text,
        language text, person_id uuid, contact text, protects text, silent boolean, filed_at timestamptz)
    WHERE cases.case_id = filed.case_id AND cases.filed_at IS NULL
"""

_RELEASE = """
    -- News that came before its case can be told now.
    UPDATE deliveries SET state = 'queued', next_try_at = GREATEST(now(), not_before)
    FROM cases
    WHERE deliveries.state = 'waiting' AND cases.case_id = deliveries.case_id
        AND NOT cases.silent AND cases.case_id = ANY(%s::uuid[])
"""

_HUSH = """
    -- News of an imported case that came before the case: nobody is told.
    DELETE FROM deliveries USING cases
    WHERE deliveries.state = 'waiting' AND cases.case_id = deliveries.case_id
        AND cases.silent AND cases.case_id = ANY(%s::uuid[])
"""

_ERASE = """
    -- Keep of these cases that there was a report and that its reporter has been erased, and nothing else.
    UPDATE cases SET erased_at = gone.erased_at, service_request_id = NULL, service_code = NULL, language = NULL,
        person_id = NULL, contact = NULL, protects = NULL
    FROM jsonb_to_recordset(%s::text::jsonb) AS gone (case_id uuid, erased_at timestamptz)
    WHERE cases.case_id = gone.case_id AND cases.erased_at IS NULL
"""

_EMPTY = """
    -- Keep of the mails to these reporters that they were sent, so that none is sent again; those that were still to be
    -- sent are ended by whoever takes them next, with a word that says why.
    UPDATE deliveries SET agency = NULL, detail = NULL, traceparent = NULL, not_before = NULL,
        state = CASE state WHEN 'waiting' THEN 'queued' ELSE state END, next_try_at = LEAST(next_try_at, now())
    FROM cases
    WHERE recipient = 'reporter' AND cases.case_id = deliveries.case_id AND NOT cases.silent
        AND cases.case_id = ANY(%s::uuid[])
"""


async def learn_reporters(tx: Transaction, reporters: Sequence[Reporter]) -> None:
    """Keep who reported these cases, and release the news that waited for them."""
    if not reporters:
        return
    ids = await lock_cases(tx, {reporter.case_id for reporter in reporters})
    await tx.execute(_LEARN, (rows_to_json([asdict(reporter) for reporter in reporters]),))
    await tx.execute(_RELEASE, (ids,))
    await tx.execute(_HUSH, (ids,))


async def forget_reporters(tx: Transaction, erased: Sequence[Erased]) -> None:
    """Forget who reported these cases, for ever: a report that is heard again does not bring them back."""
    if not erased:
        return
    ids = await lock_cases(tx, {each.case_id for each in erased})
    await tx.execute(_ERASE, (rows_to_json([asdict(each) for each in erased]),))
    await tx.execute(_EMPTY, (ids,))


async def lock_cases(tx: Transaction, case_ids: set[UUID]) -> str:
    """Hold these cases until the end of the transaction; return them as PostgreSQL writes an array."""
    ids = array_literal(sorted(case_ids))
    await tx.execute(_MEET, (ids,))
    await tx.execute(_LOCK, (ids,))
    return ids
