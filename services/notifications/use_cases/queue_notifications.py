"""Stores the reporters of cases, and queues a mail for each notification that an event leads to."""

from typing import Any

from services.notifications.domain.notifications import notifications_of
from services.notifications.domain.reporters import Reporter, erasure_of, reporter_of
from services.notifications.store.cases import erase_reporters, save_reporters
from services.notifications.store.deliveries import insert_deliveries
from shared.events.intake import CaseSubmitted, PersonErased
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch
from shared.policy.protection import ProtectionRules, strictest


async def record_reporters(tx: Transaction, batch: Batch[Any], protection: ProtectionRules) -> None:
    """Store who reported the cases of this batch, and erase the reporters who were erased."""
    events = [message.event for message in batch]
    await save_reporters(tx, [_reporter(event, protection) for event in events if isinstance(event, CaseSubmitted)])
    # A batch may contain a report and the erasure of its reporter: the erasure comes last, and wins.
    await erase_reporters(tx, [erasure_of(event) for event in events if isinstance(event, PersonErased)])


async def queue_notifications(tx: Transaction, batch: Batch[Any]) -> None:
    """Queue a mail for each notification that the events of this batch lead to."""
    notifications = [
        notification
        for message in batch
        for notification in notifications_of(message.event, message.envelope.id, message.traceparent)
    ]
    await insert_deliveries(tx, notifications)


def _reporter(event: CaseSubmitted, protection: ProtectionRules) -> Reporter:
    by_needs = protection.protections_of_needs(need.need for need in event.needs)
    return reporter_of(event, strictest(by_needs))
