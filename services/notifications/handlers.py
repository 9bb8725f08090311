"""What notifications hears: cases, and what becomes of their referrals."""

from typing import Any

from services.notifications import store
from services.notifications.bell import Bell
from services.notifications.domain.news import news_of
from services.notifications.domain.reporters import reporter_of
from shared.events.intake import CaseSubmitted
from shared.events.topics import CASES, REFERRALS
from shared.kit.database import Transaction
from shared.kit.messages import Batch, Route

GROUP = "notifications"


def routes(bell: Bell) -> list[Route]:
    """Return what notifications consumes; the bell wakes those who send."""

    async def on_cases(batch: Batch[Any], tx: Transaction) -> None:
        filed = [reporter_of(heard.event) for heard in batch if isinstance(heard.event, CaseSubmitted)]
        await store.learn_reporters(tx, filed)
        await on_referrals(batch, tx)

    async def on_referrals(batch: Batch[Any], tx: Transaction) -> None:
        told = [news_of(heard.event, heard.envelope.id, heard.traceparent) for heard in batch]
        await store.add_news(tx, [news for news in told if news])
        bell.ring()

    return [Route(GROUP, CASES, on_cases), Route(GROUP, REFERRALS, on_referrals)]
