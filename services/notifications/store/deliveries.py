"""Stores the mails to send, with their states."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import kwargs_row

from services.notifications.domain.deliveries import Delivery, DeliveryStatus, StateCount
from services.notifications.domain.notifications import Notification, Template
from services.notifications.domain.outcomes import FinalState, Retry
from services.notifications.store.cases import lock_cases
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.database.rows import read_rows, rows_to_json

_INSERT_DELIVERIES = """
    -- Queue notifications, each once. One for the reporter waits while their case is not known, and is left out when
    -- the case is imported; for an erased person it is queued without its details, and the send worker suppresses it.
    -- One for the privacy office does not wait.
    INSERT INTO deliveries (id, case_id, template, recipient, occasion, cause, agency, detail, traceparent, happened_at,
        not_before, next_try_at, state)
    SELECT new.id, case_id, template, recipient, occasion, cause, CASE WHEN cases.erased_at IS NULL THEN agency END,
        CASE WHEN recipient <> 'reporter' OR cases.erased_at IS NULL THEN detail END, traceparent, happened_at,
        not_before, GREATEST(now(), not_before),
        CASE WHEN recipient = 'reporter' AND cases.filed_at IS NULL AND cases.erased_at IS NULL
            THEN 'waiting' ELSE 'queued' END
    FROM jsonb_to_recordset(%s::text::jsonb) AS new (id uuid, case_id uuid, template text, recipient text,
        occasion text, cause uuid, agency text, detail text, traceparent text, happened_at timestamptz,
        not_before timestamptz)
    JOIN cases USING (case_id)
    WHERE recipient <> 'reporter' OR NOT cases.silent
    ON CONFLICT DO NOTHING
"""

_LOCK_DUE = """
    -- Lock a few mails that are due and that no other worker has locked; of those for one recipient about one case only
    -- the earliest, so that mails go out in order. A mail under an embargo does not hold back the others.
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

_MARK_SENDING = "UPDATE deliveries SET state = 'sending', claimed_at = now() WHERE id = %s"

_SAVE_FINAL_STATES = """
    -- An uncertain mail may turn out to be sent: its worker was slow, not dead.
    UPDATE deliveries SET state = final.state, problem = final.problem, settled_at = now()
    FROM jsonb_to_recordset(%s::text::jsonb) AS final (id uuid, state text, problem text)
    WHERE deliveries.id = final.id AND deliveries.state IN ('queued', 'sending', 'uncertain')
"""

_SAVE_RETRY = """
    UPDATE deliveries
    SET state = 'queued', problem = %s, next_try_at = now() + %s, claimed_at = NULL, tries = tries + 1
    WHERE id = %s AND state IN ('queued', 'sending')
"""

_LOCK_INTERRUPTED = """
    -- Lock the mails that have been in the state `sending` for so long that their worker must have died.
    SELECT due.id, due.case_id, due.template, due.cause, due.agency, due.detail, due.traceparent, due.tries,
        GREATEST(due.created_at, due.not_before) AS created_at, service_request_id, service_code, language, person_id,
        contact, protects, erased_at IS NOT NULL AS erased
    FROM deliveries AS due JOIN cases USING (case_id)
    WHERE due.state = 'sending' AND due.claimed_at < now() - %s
    FOR UPDATE OF due SKIP LOCKED
"""

_LIST_STATUSES = """
    SELECT id, case_id, template, recipient, agency, state, tries, problem, happened_at, created_at, settled_at
    FROM deliveries WHERE case_id = %(case_id)s ORDER BY happened_at, id
"""

_COUNT_BY_STATE = "SELECT template, state, count(*) AS count FROM deliveries GROUP BY template, state"


async def insert_deliveries(tx: Transaction, notifications: Sequence[Notification]) -> None:
    """Queue a mail for each notification; it waits if its case is not known yet."""
    if not notifications:
        return
    await lock_cases(tx, {notification.case_id for notification in notifications})
    await tx.execute(_INSERT_DELIVERIES, (rows_to_json([_row(each) for each in notifications]),))


async def lock_due(tx: Transaction, limit: int) -> list[Delivery]:
    """Lock at most `limit` mails that are due until the transaction ends."""
    async with tx.cursor(row_factory=kwargs_row(_delivery)) as cursor:
        await cursor.execute(_LOCK_DUE, (limit,))
        return await cursor.fetchall()


async def mark_sending(tx: Transaction, delivery: Delivery) -> None:
    """Mark that a worker is about to hand this mail to the mail server."""
    await tx.execute(_MARK_SENDING, (delivery.id,))


async def save_final_states(tx: Transaction, states: Sequence[FinalState]) -> None:
    """Save the last states of some mails."""
    if states:
        rows = [{"id": each.event.delivery_id, "state": each.state, "problem": each.problem} for each in states]
        await tx.execute(_SAVE_FINAL_STATES, (rows_to_json(rows),))


async def save_retry(tx: Transaction, delivery: Delivery, retry: Retry) -> None:
    """Queue a mail again, to be tried after a wait."""
    await tx.execute(_SAVE_RETRY, (retry.problem, retry.wait, delivery.id))


async def lock_interrupted(tx: Transaction, lease: timedelta) -> list[Delivery]:
    """Lock the mails that a worker has been sending for longer than the lease."""
    async with tx.cursor(row_factory=kwargs_row(_delivery)) as cursor:
        await cursor.execute(_LOCK_INTERRUPTED, (lease,))
        return await cursor.fetchall()


async def list_statuses(tx: Transaction, case_id: UUID) -> list[DeliveryStatus]:
    """Return what operators see of the mails of a case, in the order of the events."""
    return await read_rows(tx, DeliveryStatus, _LIST_STATUSES, case_id=case_id)


async def count_by_state(tx: Transaction) -> list[StateCount]:
    """Count all mails by template and state."""
    return await read_rows(tx, StateCount, _COUNT_BY_STATE)


def _row(notification: Notification) -> dict[str, object]:
    return asdict(notification) | {"id": notification.delivery_id, "recipient": notification.template.recipient}


def _delivery(template: str, protects: str | None, **row: Any) -> Delivery:
    return Delivery(template=Template(template), protects=FieldGroup(protects) if protects else None, **row)
