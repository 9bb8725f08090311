"""Consents withdrawn while routing replays its topic, on real Kafka and PostgreSQL, with the relay running.

Routing is held in the middle of the replay, and its relay before it sends, so that it is known what is under way.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.events.topics import REFERRALS, inbox_topic
from shared.kit.kafka.access import KafkaAccess
from tests.eventually import PATIENCE_SECONDS
from tests.own_topics import OwnTopics
from tests.service.routing.gates import Street
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.replay import InboxRecord, Permitted, Replay

pytestmark = pytest.mark.servers

CASES = 60
DELIVERED, WAITING, MIDDLE = slice(0, 20), slice(20, 40), 50
"""The cases that were delivered before the replay, and those that wait in the outbox; when so many are known in all,
routing is held."""

REQUESTED, RECALLED, CANCELLED = "referral.requested.v1", "disclosure.recalled.v1", "referral.cancelled.v1"


@pytest.fixture
async def replay(harness: RoutingHarness, kafka: KafkaAccess, topics: OwnTopics) -> AsyncIterator[Replay]:
    """Run routing on topics of this test only, but for its own topic of referral events."""
    street = Street(topics.prefix)
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    names = (REFERRALS.topic, *map(inbox_topic, street.agencies))
    await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    await admin.close()
    async with Replay.on(harness, kafka, street, await topics.create("cases")) as made:
        yield made


@dataclass(frozen=True)
class Outcome:
    """What became of the cases: where their inboxes ended when their consents were withdrawn, and what stands there."""

    ends: dict[UUID, int]
    received: dict[UUID, list[InboxRecord]]

    def of(self, permitted: Permitted) -> list[InboxRecord]:
        """Return what the agency has received of a case."""
        return self.received.get(permitted.filed.case_id, [])

    def types(self, permitted: Permitted) -> list[str]:
        """Return the types of these events."""
        return [each.type for each in self.of(permitted)]

    def requiring_it(self, permitted: Permitted) -> list[InboxRecord]:
        """Return what the agency has received that requires the consent."""
        return [each for each in self.of(permitted) if str(permitted.consent.consent_id) in each.consents]


def withdrawn_of(permitted: Sequence[Permitted]) -> list[Permitted]:
    """Return those whose consents are withdrawn: four of five."""
    return [each for number, each in enumerate(permitted) if number % 5]


async def begin(replay: Replay, permitted: Sequence[Permitted], *, emptied: bool) -> None:
    """Deliver some cases, leave some in the outbox and some unheard, and let routing begin at the beginning again."""
    await replay.publish_cases(permitted[DELIVERED])
    async with replay.relaying(), replay.consuming():
        await replay.settled()
    await replay.publish_cases(permitted[WAITING])
    async with replay.consuming():
        await replay.caught_up()
    await replay.publish_cases(permitted[WAITING.stop :])
    await replay.rewind(emptied=emptied)


async def withdraw_in_the_middle(replay: Replay, permitted: Sequence[Permitted]) -> dict[UUID, int]:
    """Withdraw four of five consents while both gates hold: those that nothing has begun to release go at once."""
    await replay.gates.deciding.holds()
    known = len(replay.harness.rows("SELECT FROM cases"))
    assert MIDDLE <= known < CASES
    ends = {each.filed.case_id: asyncio.create_task(replay.withdraw(each)) for each in withdrawn_of(permitted)}
    free = {each.filed.case_id for each in (*permitted[DELIVERED], *permitted[WAITING.stop : known - 1])} & ends.keys()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(ends[case_id] for case_id in free))
    await asyncio.sleep(0.3)
    sending = {each.filed.case_id for each in permitted[WAITING]} & ends.keys()
    assert not [case_id for case_id in sending if ends[case_id].done()], "they wait until what is being sent was sent"
    replay.gates.open()
    async with asyncio.timeout(PATIENCE_SECONDS):
        return dict(zip(ends, await asyncio.gather(*ends.values()), strict=True))


async def replay_and_withdraw(replay: Replay, permitted: Sequence[Permitted]) -> Outcome:
    """Replay, with the withdrawals in the middle, and wait until nothing is left to do."""
    replay.gates.close(MIDDLE)
    async with replay.relaying():
        await replay.gates.sending.holds()
        async with replay.consuming():
            ends = await withdraw_in_the_middle(replay, permitted)
            await replay.settled()
    return Outcome(ends, await replay.received())


def assert_nothing_left_after_its_withdrawal(outcome: Outcome, permitted: Sequence[Permitted]) -> None:
    """Hold every record against the end that its inbox had when the consent fell."""
    for each in withdrawn_of(permitted):
        end = outcome.ends[each.filed.case_id]
        assert [one for one in outcome.requiring_it(each) if one.offset >= end] == []
        if each.filed.service_code == "violence":
            assert {one.type for one in outcome.of(each) if one.offset >= end} <= {RECALLED, CANCELLED}
        assert (RECALLED in outcome.types(each)) == bool(outcome.requiring_it(each)), "what was delivered is recalled"


def assert_said_once(outcome: Outcome, permitted: Sequence[Permitted]) -> None:
    """Hold what was said of each case against its ids: one for each type."""
    for each in permitted:
        said = {(one.type, one.event_id) for one in outcome.of(each)}
        assert len(said) == len({kind for kind, _ in said}), outcome.of(each)


@pytest.mark.parametrize("inbox", ["as it is", "emptied"])
async def test_what_depends_on_a_consent_withdrawn_during_a_replay_is_not_published_after_the_withdrawal(
    replay: Replay, inbox: str
) -> None:
    permitted = replay.permit(CASES)
    await begin(replay, permitted, emptied=inbox == "emptied")
    outcome = await replay_and_withdraw(replay, permitted)
    assert_nothing_left_after_its_withdrawal(outcome, permitted)
    assert_said_once(outcome, permitted)
    begun = withdrawn_of([*permitted[DELIVERED], *permitted[WAITING]])
    assert [each for each in begun if REQUESTED not in outcome.types(each)] == [], "what was being sent arrived"
    late = [each for each in withdrawn_of(permitted) if not outcome.requiring_it(each)]
    assert len(late) > 5, "what had been decided and was not being sent did not"
    assert replay.harness.rows("SELECT count(*) > 5 FROM outbox_withheld") == [(True,)]
    kept = [each for each in permitted if each not in withdrawn_of(permitted)]
    assert [outcome.types(each) for each in kept] == [[REQUESTED]] * len(kept)


async def test_a_replay_into_an_emptied_inbox_after_withdrawals_says_nothing_again(replay: Replay) -> None:
    permitted = replay.permit(CASES)
    await begin(replay, permitted, emptied=False)
    outcome = await replay_and_withdraw(replay, permitted)
    before = replay.harness.snapshot()
    await replay.rewind(emptied=True)
    async with replay.relaying(), replay.consuming():
        await replay.settled()
    assert await replay.received() == outcome.received
    assert replay.harness.snapshot() == before
    assert replay.harness.rows("SELECT count(*) FROM dead_letters") == [(0,)]


async def test_a_withdrawal_waits_for_a_decision_that_has_begun_and_then_nothing_leaves(replay: Replay) -> None:
    permitted = replay.permit(2)
    replay.gates.close()
    await replay.publish_cases(permitted)
    async with replay.consuming():
        await replay.gates.deciding.holds()
        withdrawals = [asyncio.create_task(replay.withdraw(each)) for each in permitted]
        await asyncio.sleep(0.5)
        assert not withdrawals[0].done(), "it waits until what is being decided was decided"
        replay.gates.open()
        ends = dict(zip([each.filed.case_id for each in permitted], await asyncio.gather(*withdrawals), strict=True))
        async with replay.relaying():
            await replay.settled()
    outcome = Outcome(ends, await replay.received())
    assert [outcome.requiring_it(each) for each in permitted] == [[], []]
    assert outcome.types(permitted[0]) == [REQUESTED], "the clinic is asked without it"
    assert outcome.types(permitted[1]) == []
