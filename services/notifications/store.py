"""What notifications keeps, as SQL over sets; the caller's transaction commits it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import kwargs_row

from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.news import News, Template
from services.notifications.domain.outcomes import Ended, TryAgain
from services.notifications.domain.reporters import Reporter
from shared.kit.database import Transaction

_MEET = """
    -- Make a row for each case that is new to us, in one order everywhere, so that two writers cannot block each other.
    INSERT INTO cases (case_id) SELECT id FROM unnest(%s::uuid[]) AS heard (id) ORDER BY id ON CONFLICT DO NOTHING
"""

_LOCK = """
    -- Hold these cases: what is heard of them on the other topic waits until this transaction has ended.
    SELECT case_id FROM cases WHERE case_id = ANY(%s::uuid[]) ORDER BY case_id FOR UPDATE
"""

_LEARN = """
    -- Note who reported these cases; the first report counts.
    UPDATE cases SET (service_request_id, service_code, language, person_id, contact, silent, filed_at)
        = (filed.service_request_id, filed.service_code, filed.language, filed.person_id, filed.contact, filed.silent,
           filed.filed_at)
    FROM jsonb_to_recordset(%s::text::jsonb) AS filed (case_id uuid, service_request_id text, service_code text,
        language text, person_id uuid, contact text, silent boolean, filed_at timestamptz)
    WHERE cases.case_id = filed.case_id AND cases.filed_at IS NULL
"""

_RELEASE = """
    -- News that came before its case can be told now.
    UPDATE deliveries SET state = 'queued', next_try_at = now()
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

_ADD = """
    -- Queue news, each once; it waits while its case is not known, and is left out when the case is silent.
    INSERT INTO deliveries (id, case_id, template, occasion, cause, agency, detail, traceparent, happened_at, state)
    SELECT news.id, case_id, template, occasion, cause, agency, detail, traceparent, happened_at,
        CASE WHEN cases.filed_at IS NULL THEN 'waiting' ELSE 'queued' END
    FROM jsonb_to_recordset(%s::text::jsonb) AS news (id uuid, case_id uuid, template text, occasion text, cause uuid,
        agency text, detail text, traceparent text, happened_at timestamptz)
    JOIN cases USING (case_id)
    WHERE NOT cases.silent
    ON CONFLICT DO NOTHING
"""

_TAKE = """
    -- A few mails that are due and that nobody else holds; of one case only the earliest, so that news stays in order.
    SELECT due.id, due.case_id, due.template, due.cause, due.agency, due.detail, due.traceparent, due.tries,
        due.created_at, service_request_id, service_code, language, person_id, contact
    FROM deliveries AS due JOIN cases USING (case_id)
    WHERE due.state = 'queued' AND due.next_try_at <= now() AND NOT EXISTS (
        SELECT FROM deliveries AS before
        WHERE before.case_id = due.case_id AND before.state IN ('queued', 'sending')
            AND (before.template <> 'case-received', before.happened_at, before.id)
              < (due.template <> 'case-received', due.happened_at, due.id))
    ORDER BY due.next_try_at
    LIMIT %s
    FOR UPDATE OF due SKIP LOCKED
"""

_SENDING = "UPDATE deliveries SET state = 'sending', claimed_at = now() WHERE id = %s"

_END = """
    -- What became of these. One that was taken for lost may turn out to have been sent.
    UPDATE deliveries SET state = ended.state, problem = ended.problem, settled_at = now()
    FROM jsonb_to_recordset(%s::text::jsonb) AS ended (id uuid, state text, problem text)
    WHERE deliveries.id = ended.id AND deliveries.state IN ('queued', 'sending', 'uncertain')
"""

_POSTPONE = """
    UPDATE deliveries
    SET state = 'queued', problem = %s, next_try_at = now() + %s, claimed_at = NULL, tries = tries + 1
    WHERE id = %s AND state IN ('queued', 'sending')
"""

_TAKE_INTERRUPTED = """
    -- Mails that were in hand for so long that whoever held them must have died. They are not sent again.
    SELECT due.id, due.case_id, due.template, due.cause, due.agency, due.detail, due.traceparent, due.tries,
        due.created_at, service_request_id, service_code, language, person_id, contact
    FROM deliveries AS due JOIN cases USING (case_id)
    WHERE due.state = 'sending' AND due.claimed_at < now() - %s
    FOR UPDATE OF due SKIP LOCKED
"""


async def learn_reporters(tx: Transaction, reporters: Sequence[Reporter]) -> None:
    """Keep who reported these cases, and release the news that waited for them."""
    if not reporters:
        return
    ids = await _lock_cases(tx, {reporter.case_id for reporter in reporters})
    await tx.execute(_LEARN, (_json([asdict(reporter) for reporter in reporters]),))
    await tx.execute(_RELEASE, (ids,))
    await tx.execute(_HUSH, (ids,))


async def add_news(tx: Transaction, news: Sequence[News]) -> None:
    """Queue mails about this news; a case that is not known yet is waited for."""
    if not news:
        return
    await _lock_cases(tx, {each.case_id for each in news})
    await tx.execute(_ADD, (_json([asdict(each) | {"id": each.delivery_id} for each in news]),))


async def _lock_cases(tx: Transaction, case_ids: set[UUID]) -> str:
    """Hold these cases until the end of the transaction; return them as PostgreSQL writes an array."""
    ids = "{" + ",".join(sorted(map(str, case_ids))) + "}"
    await tx.execute(_MEET, (ids,))
    await tx.execute(_LOCK, (ids,))
    return ids


async def take_due(tx: Transaction, limit: int) -> list[Delivery]:
    """Hold a few mails that are due until the end of this transaction."""
    async with tx.cursor(row_factory=kwargs_row(_delivery)) as cursor:
        await cursor.execute(_TAKE, (limit,))
        return await cursor.fetchall()


async def mark_sending(tx: Transaction, delivery: Delivery) -> None:
    """Note that a mail is about to be handed to the mail server."""
    await tx.execute(_SENDING, (delivery.id,))


async def end(tx: Transaction, ended: Sequence[Ended]) -> None:
    """Note what became of some mails."""
    if ended:
        await tx.execute(
            _END, (_json([{"id": e.event.delivery_id, "state": e.state, "problem": e.problem} for e in ended]),)
        )


async def postpone(tx: Transaction, delivery: Delivery, again: TryAgain) -> None:
    """Put a mail back, to be tried again after a while."""
    await tx.execute(_POSTPONE, (again.problem, again.wait, delivery.id))


async def take_interrupted(tx: Transaction, lease: timedelta) -> list[Delivery]:
    """Hold the mails that have been in somebody's hand for longer than the lease."""
    async with tx.cursor(row_factory=kwargs_row(_delivery)) as cursor:
        await cursor.execute(_TAKE_INTERRUPTED, (lease,))
        return await cursor.fetchall()


def _delivery(template: str, **row: Any) -> Delivery:
    return Delivery(template=Template(template), **row)


def _json(rows: Sequence[dict[str, object]]) -> str:
    return orjson.dumps(rows).decode()
