"""What notifications consumes: the events of cases and of referrals."""

import asyncio
from typing import Any, Final

from services.notifications.use_cases.queue_notifications import queue_notifications, record_reporters
from shared.events.topics import CASES, REFERRALS
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription
from shared.policy.protection import ProtectionRules

GROUP: Final = "notifications"


def subscriptions(protection: ProtectionRules, wake_up: asyncio.Event) -> list[Subscription]:
    """Return what notifications consumes; `wake_up` is set when mails were queued."""

    async def on_cases(batch: Batch[Any], tx: Transaction) -> None:
        await record_reporters(tx, batch, protection)
        await queue_notifications(tx, batch)
        wake_up.set()

    async def on_referrals(batch: Batch[Any], tx: Transaction) -> None:
        await queue_notifications(tx, batch)
        wake_up.set()

    return [
        Subscription(GROUP, CASES, on_cases, ignore_unknown_types=True),
        Subscription(GROUP, REFERRALS, on_referrals, ignore_unknown_types=True),
    ]
