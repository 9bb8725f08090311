"""What notifications hears: cases, and what becomes of their referrals."""

from typing import Any

from services.notifications import store
from services.notifications.domain.news import news_of
from services.notifications.domain.reporters import Reporter, erased_of, reporter_of
from services.notifications.jurisdiction import Jurisdiction
from services.notifications.use_cases.deliveries import Bell
from shared.events.intake import CaseSubmitted, PersonErased
from shared.events.topics import CASES, REFERRALS
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription
from shared.policy.protection import strictest

GROUP = "notifications"


def subscriptions(bell: Bell, city: Jurisdiction) -> list[Subscription]:
    """Return what notifications consumes; the bell wakes those who send."""

    def reporter(event: CaseSubmitted) -> Reporter:
        by_needs = city.protection.protections_of_needs(need.need for need in event.needs)
        return reporter_of(event, strictest(by_needs))

    async def on_cases(batch: Batch[Any], tx: Transaction) -> None:
        events = [heard.event for heard in batch]
        await store.learn_reporters(tx, [reporter(event) for event in events if isinstance(event, CaseSubmitted)])
        await store.forget_reporters(tx, [erased_of(event) for event in events if isinstance(event, PersonErased)])
        await on_referrals(batch, tx)

    async def on_referrals(batch: Batch[Any], tx: Transaction) -> None:
        told = (news_of(heard.event, heard.envelope.id, heard.traceparent) for heard in batch)
        await store.add_news(tx, [news for each in told for news in each])
        bell.ring()

    return [
        Subscription(GROUP, CASES, on_cases, ignore_unknown_types=True),
        Subscription(GROUP, REFERRALS, on_referrals, ignore_unknown_types=True),
    ]
