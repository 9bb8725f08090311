"""Receipts that cannot be written hold up the sweeper, the triage queue and readiness, and nothing is lost."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.handlers import subscriptions
from services.routing.http.pages.triage import triage_routes
from services.routing.workers.deadlines import DeadlineWorker, handle_overdue_referrals
from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import UnavailableError
from shared.kit.kafka.access import KafkaAccess
from tests.builders import HOUR, NOON, need_id
from tests.eventually import PATIENCE_SECONDS
from tests.service.routing.harness import RoutingHarness

pytestmark = pytest.mark.servers

DENIED = "REVOKE INSERT ON receipts FROM handoff_routing"
ALLOWED = "GRANT INSERT ON receipts TO handoff_routing"
KEY = "a key for staff"


def receipts(harness: RoutingHarness) -> int:
    """How many there are."""
    ((count,),) = harness.rows("SELECT count(*) FROM receipts")
    return int(count)


async def test_staff_are_told_to_try_again_and_the_need_stays_in_the_triage_queue(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("loneliness"))
    harness.execute(DENIED)
    transport = httpx.ASGITransport(Starlette(routes=triage_routes(harness.context, harness.database, KEY)))
    headers = {"authorization": f"Bearer {KEY}"}
    before = harness.snapshot()
    async with httpx.AsyncClient(transport=transport, base_url="http://routing", headers=headers) as staff:
        path, wanted = f"/triage/{need_id('loneliness')}", {"agency": "police", "program": "precinct"}
        refused = await staff.post(path, json=wanted)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert harness.snapshot() == before
        harness.execute(ALLOWED)
        assert (await staff.post(path, json=wanted)).status_code == 201
    assert receipts(harness) == 1


async def test_the_sweeper_waits_and_goes_on_by_itself(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    for hours in (4, 8):  # a reminder and an escalation, before another program is asked
        harness.clock.shown = NOON + hours * HOUR
        await handle_overdue_referrals(harness.context, harness.database)
    given = receipts(harness)
    harness.clock.shown = NOON + 12 * HOUR
    harness.execute(DENIED)
    sweeping = asyncio.create_task(DeadlineWorker(harness.context, harness.database, 0.02).run())
    try:
        await asyncio.sleep(0.5)
        assert not sweeping.done()
        assert "referral.cancelled.v1" not in {row.type for row in harness.outbox()}
        harness.execute(ALLOWED)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while receipts(harness) == given:
                await asyncio.sleep(0.05)
    finally:
        sweeping.cancel()


async def test_readiness_says_that_receipts_cannot_be_written_until_they_can(harness: RoutingHarness) -> None:
    consumption = ConsumerSupervisor(
        "routing", subscriptions(harness.context), harness.database, KafkaAccess("nowhere:9092")
    )
    consumer = consumption._consumers[0]
    consumer.unavailable = str(UnavailableError("receipts cannot be written: InsufficientPrivilege"))
    assert await consumption.problem() == "waiting: receipts cannot be written: InsufficientPrivilege"
    consumer.unavailable = None
    assert "receipts" not in str(await consumption.problem())
