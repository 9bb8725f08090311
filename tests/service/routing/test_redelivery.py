"""What routing had set aside, and is given again later: each has its effect once, whatever was heard in between."""

from uuid import uuid4

import pytest

from services.routing.handlers import subscriptions
from shared.events.agency_updates import ReferralAccepted
from shared.events.topics import AGENCY_UPDATES, CASES
from shared.kit.dead_letters.dead_letters import DeadLetter, insert_dead_letters
from shared.kit.dead_letters.redrive import DeadLetterQueue
from shared.kit.messaging.messages import Record
from tests.builders import NOON
from tests.service.routing.harness import RoutingHarness, record

pytestmark = pytest.mark.servers


async def lose(harness: RoutingHarness, lost: Record, route: int) -> None:
    """Set a message aside, as the consumer of this route does."""
    async with harness.database.transaction() as tx:
        await insert_dead_letters(
            tx, "routing", [DeadLetter(lost, "ArithmeticError", subscriptions(harness.context)[route].group, 3)]
        )


async def redeliver(harness: RoutingHarness, number: int) -> str | None:
    return (await DeadLetterQueue(harness.database, subscriptions(harness.context)).redrive(number, "Ada")).outcome


async def test_a_case_is_routed_once(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await lose(harness, record(CASES.topic, CASES.source, filed, uuid4()), 0)
    assert harness.rows("SELECT count(*) FROM referrals") == [(0,)]
    assert await redeliver(harness, 1) == "done"
    before = harness.snapshot()
    assert harness.rows("SELECT case_id, state FROM referrals") == [(filed.case_id, "requested")]
    assert await redeliver(harness, 1) == "done"
    assert harness.snapshot() == before


async def test_an_answer_that_was_given_again_meanwhile_changes_nothing(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    ((referral_id,),) = harness.rows("SELECT referral_id FROM referrals")
    accepted = ReferralAccepted(case_id=filed.case_id, referral_id=referral_id, occurred_at=NOON)
    source = AGENCY_UPDATES.source.format(agency="homes")
    await lose(harness, record(AGENCY_UPDATES.topic.format(agency="homes"), source, accepted, uuid4()), 1)
    await harness.consume_updates("homes", accepted)
    before = harness.rows("SELECT state, changes FROM referrals")
    assert await redeliver(harness, 1) == "done"
    assert harness.rows("SELECT state, changes FROM referrals") == before
