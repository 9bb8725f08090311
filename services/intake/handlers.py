"""What intake hears: how the cases that it opened get on, and who is given what of them."""

from services.intake.domain.disclosures import project_disclosures
from services.intake.domain.progress import CaseEvent, project_progress
from services.intake.store import disclosures, progress
from shared.events.topics import REFERRALS
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription

REST_SECONDS = 0.25
"""A resident who looks at a page sees what has happened this much later, and batches are larger."""


async def on_referrals(batch: Batch[object], tx: Transaction) -> None:
    """Update what residents see of their cases, and of what was given to whom."""
    heard = [CaseEvent(message.envelope.id, message.envelope.sequence, message.event) for message in batch]
    await progress.save(tx, project_progress(heard))
    await disclosures.save_disclosures(tx, project_disclosures(heard))


def subscriptions() -> list[Subscription]:
    """Return what intake reads."""
    return [Subscription("intake", REFERRALS, on_referrals, min_batch_interval=REST_SECONDS)]
