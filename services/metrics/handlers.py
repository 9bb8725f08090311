"""What metrics hears: everything that is said of a case, in whatever order it comes."""

from typing import Any

from services.metrics.domain.journey import entry_of
from services.metrics.domain.observation import facts_of
from services.metrics.store.facts import keep_entries, mark_stale, save_facts
from shared.events.topics import AGENCY_UPDATES, CASES, DELIVERIES, REFERRALS
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription

REST_SECONDS = 0.1
"""Figures are this much later, and batches are larger."""


def subscriptions() -> list[Subscription]:
    """Return what this service reads."""
    heard = (CASES, REFERRALS, DELIVERIES, AGENCY_UPDATES)
    return [
        Subscription("metrics", language, on_events, min_batch_interval=REST_SECONDS, ignore_unknown_types=True)
        for language in heard
    ]


async def on_events(batch: Batch[Any], tx: Transaction) -> None:
    """Add what was heard to what is known, and note whose figures it changes."""
    await save_facts(tx, [fact for heard in batch for fact in facts_of(heard.event, heard.envelope)])
    await keep_entries(tx, [entry_of(heard.envelope, heard.event, heard.topic) for heard in batch])
    await mark_stale(tx, batch.subjects)
