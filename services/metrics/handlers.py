"""What metrics consumes: every topic, in whatever relative order the events arrive."""

from typing import Any, Final

from services.metrics.use_cases.record_events import record_events
from shared.events.topics import AGENCY_UPDATES, CASES, DELIVERIES, REFERRALS
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription

MIN_BATCH_INTERVAL: Final = 0.1
"""Seconds from one batch to the next: figures are this much later, and batches are larger."""


def subscriptions() -> list[Subscription]:
    """Return what metrics consumes."""
    return [
        Subscription("metrics", topic, on_events, min_batch_interval=MIN_BATCH_INTERVAL, ignore_unknown_types=True)
        for topic in (CASES, REFERRALS, DELIVERIES, AGENCY_UPDATES)
    ]


async def on_events(batch: Batch[Any], tx: Transaction) -> None:
    """Record a batch of events."""
    await record_events(tx, batch)
