"""What routing consumes: the events of cases from intake, and what agencies report about their referrals."""

from functools import partial
from typing import Any

from services.routing.use_cases.agency_updates import apply_agency_updates
from services.routing.use_cases.case_events import apply_case_events, route_new_cases
from services.routing.use_cases.context import RoutingContext
from shared.events.agency_updates import AgencyUpdate
from shared.events.topics import AGENCY_UPDATES, CASES
from shared.kit.database.database import Transaction
from shared.kit.messaging.messages import Batch, Subscription


def subscriptions(context: RoutingContext) -> list[Subscription]:
    """Return the topics that routing consumes, each with its consumer group and handler."""
    return [
        Subscription(
            "routing", CASES, partial(on_cases, context), concurrency=2, fast_path=partial(on_new_cases, context)
        ),
        Subscription("routing-updates", AGENCY_UPDATES, partial(on_agency_updates, context)),
    ]


async def on_new_cases(context: RoutingContext, batch: Batch[Any], connection: Transaction) -> bool:
    """Route a batch of new cases by a single statement; False leaves the batch to `on_cases`."""
    return await route_new_cases(context, connection, batch)


async def on_cases(context: RoutingContext, batch: Batch[Any], tx: Transaction) -> None:
    """Decide about the events of cases, in a transaction."""
    await apply_case_events(context, tx, batch)


async def on_agency_updates(context: RoutingContext, batch: Batch[AgencyUpdate], tx: Transaction) -> None:
    """Apply or refuse what agencies report, in a transaction."""
    await apply_agency_updates(context, tx, batch)
