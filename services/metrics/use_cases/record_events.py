"""Records events: their facts, their journey entries, and a marker that the figures of their cases are stale."""

from typing import Any

from services.metrics.domain.event_projection import facts_of
from services.metrics.domain.journey import entry_of
from services.metrics.store.facts import insert_entries, mark_cases, save_facts
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch


async def record_events(tx: Transaction, batch: Batch[Any]) -> None:
    """Merge a batch of events into what is stored. The worker in workers/rollups.py computes the figures later."""
    await save_facts(tx, [fact for message in batch for fact in facts_of(message.event, message.envelope)])
    await insert_entries(tx, [entry_of(message.envelope, message.event, message.topic) for message in batch])
    await mark_cases(tx, batch.subjects)
