"""Kafka in: routing's events on referrals and disclosures."""

from typing import Any

from services.intake.domain.progress import CaseEvent
from services.intake.use_cases.apply_referral_events import apply_referral_events
from shared.events.topics import REFERRALS
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription

MIN_BATCH_INTERVAL_SECONDS = 0.25
"""How long a status page may lag behind: in return batches are larger."""


async def on_referrals(batch: Batch[Any], tx: Transaction) -> None:
    """Apply events on referrals and disclosures."""
    events = [CaseEvent(message.envelope.id, message.envelope.sequence, message.event) for message in batch]
    await apply_referral_events(tx, events)


def subscriptions() -> list[Subscription]:
    """Return the topics that intake consumes."""
    return [Subscription("intake", REFERRALS, on_referrals, min_batch_interval=MIN_BATCH_INTERVAL_SECONDS)]
