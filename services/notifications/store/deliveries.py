"""The mails that are to be sent, and what became of them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from psycopg.rows import kwargs_row

from services.notifications.domain.deliveries import Delivery
from services.notifications.domain.news import News, Template
from services.notifications.domain.outcomes import Ended, TryAgain
from services.notifications.store.cases import lock_cases
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.database.rows import rows_to_json

_ADD = """
    -- Queue news, each once. What is for the reporter waits while their case is not known, and is left out when the
    -- case is silent; for somebody who has been erased it is queued without its words, to be suppressed. What is for
    -- the office waits for nobody.
    INSERT INTO deliveries (id, case_id, template, recipient, occasion, cause, agency, detail, traceparent, happened_at,
        not_before, next_try_at, state)
    SELECT news.id, case_id, template, recipient, occasion, cause, CASE WHEN cases.erased_at IS NULL THEN agency END,
        CASE WHEN recipient <> 'reporter' OR cases.erased_at IS NULL THEN detail END, traceparent, happened_at,
        not_before, GREATEST(now(), not_before),
        CASE WHEN recipient = 'reporter' AND cases.filed_at IS NULL AND cases.erased_at IS NULL
            THEN 'waiting' ELSE 'queued' END
    FROM jsonb_to_recordset(%s::text::jsonb) AS news (id uuid, case_id uuid, template text, recipient text,
        occasion text, cause uuid, agency text, detail text, traceparent text, happened_at timestamptz,
        not_before timestamptz)
    JOIN cases USING (case_id)
    WHERE recipient <> 'reporter' OR NOT cases.silent
    ON CONFLICT DO NOTHING
"""

_TAKE = """
    -- A few mails that are due and that nobody else holds; of those for one recipient about one case only the earliest,
    -- so that news stays in order. One that must not go out yet holds up none of the others.
    SELECT due.id, due.case_id, due.template, due.cause, due.agency, due.detail, due.traceparent, due.tries,
        GREATEST(due.created_at, due.not_before) AS created_at, service_request_id, service_code, language, person_id,
        contact, protects, erased_at IS NOT NULL AS erased
    FROM deliveries AS due JOIN cases USING (case_id)
    WHERE due.state = 'queued' AND due.next_try_at <= now() AND NOT EXISTS (
        SELECT FROM deliveries AS before
        WHERE before.case_id = due.case_id AND before.recipient = due.recipient
            AND before.state IN ('queued', 'sending') AND (before.not_before IS NULL OR before.not_before <= now())
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
        GREATEST(due.created_at, due.not_before) AS created_at, service_request_id, service_code, language, person_id,
        contact, protects, erased_at IS NOT NULL AS erased
    FROM deliveries AS due JOIN cases USING (case_id)
    WHERE due.state = 'sending' AND due.claimed_at < now() - %s
    FOR UPDATE OF due SKIP LOCKED
"""


async def add_news(tx: Transaction, news: Sequence[News]) -> None:
    """Queue mails about this news; a case that is not known yet is waited for."""
    if not news:
        return
    await lock_cases(tx, {each.case_id for each in news})
    await tx.execute(_ADD, (rows_to_json([_row(each) for each in news]),))


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
            _END, (rows_to_json([{"id": e.event.delivery_id, "state": e.state, "problem": e.problem} for e in ended]),)
        )


async def postpone(tx: Transaction, delivery: Delivery, again: TryAgain) -> None:
    """Put a mail back, to be tried again after a while."""
    await tx.execute(_POSTPONE, (again.problem, again.wait, delivery.id))


async def take_interrupted(tx: Transaction, lease: timedelta) -> list[Delivery]:
    """Hold the mails that have been in somebody's hand for longer than the lease."""
    async with tx.cursor(row_factory=kwargs_row(_delivery)) as cursor:
        await cursor.execute(_TAKE_INTERRUPTED, (lease,))
        return await cursor.fetchall()


def _row(news: News) -> dict[str, object]:
    return asdict(news) | {"id": news.delivery_id, "recipient": news.template.recipient}


def _delivery(template: str, protects: str | None, **row: Any) -> Delivery:
    return Delivery(template=Template(template), protects=FieldGroup(protects) if protects else None, **row)
