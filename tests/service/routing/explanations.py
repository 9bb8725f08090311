"""Routing's explanations in a test's own database, served to staff."""

from collections.abc import Iterable
from datetime import datetime

import httpx
from starlette.applications import Starlette

from services.routing.http.api.explanations import explanation_routes
from services.routing.store.agreements import AgreementText, PolicySet, record_policy_set
from services.routing.use_cases.explain.disclosures import Explainer
from services.routing.use_cases.explain.policy_history import PolicyHistory
from shared.policy.agreements import Agreement
from tests.service.routing.harness import RoutingHarness
from tests.unit.routing.agreement_text import text_of

KEY = "a key for staff"
BEARER = {"authorization": f"Bearer {KEY}"}


def site(harness: RoutingHarness) -> Starlette:
    """Return the routes of explanations."""
    explainer = Explainer(harness.context, PolicyHistory(harness.context.city.policy))
    return Starlette(routes=explanation_routes(explainer, harness.database, KEY))


def client(harness: RoutingHarness, key: str | None = KEY) -> httpx.AsyncClient:
    """Return a client of the explanations, with or without the staff key."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(site(harness)), base_url="http://routing", headers=headers)


async def put_on_record(harness: RoutingHarness, agreements: Iterable[Agreement], since: datetime) -> str:
    """Record that these agreements were in force since a moment; return the hash of their policy set."""
    agreements = tuple(agreements)
    used = harness.context.city.policy.under(agreements).hash
    async with harness.database.transaction() as tx:
        written = [AgreementText(each, text_of(each)) for each in agreements]
        await record_policy_set(tx, PolicySet(used, written, "as they are"))
    harness.execute(f"UPDATE policy_set_uses SET since = '{since.isoformat()}' WHERE hash = '{used}'")
    return used
