"""What is heard is queued once, in whatever order it comes."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from services.notifications.domain.notifications import notifications_of
from services.notifications.domain.reporters import reporter_of
from services.notifications.store.cases import save_reporters
from services.notifications.store.deliveries import insert_deliveries
from shared.events.intake import CaseSubmitted
from shared.events.referrals import ReferralAccepted
from shared.events.topics import CASES, REFERRALS, TopicSpec
from shared.kit.database.database import Transaction
from tests.heard import samples_of, stranger
from tests.service.notifications.events import accepted, held, resolved, submitted
from tests.service.notifications.world import World

Work = Callable[[Transaction], Awaitable[None]]


def learn_case(event: CaseSubmitted) -> Work:
    """Do what the consumer of cases does."""

    async def work(tx: Transaction) -> None:
        await save_reporters(tx, [reporter_of(event)])

    return work


def queue(event: ReferralAccepted) -> Work:
    """Do what the consumer of referrals does."""
    news = notifications_of(event, uuid4())

    async def work(tx: Transaction) -> None:
        await insert_deliveries(tx, news)

    return work


async def test_each_piece_of_news_is_queued_once(world: World) -> None:
    case_id = await world.report()
    await world.hear(accepted(case_id), held(case_id), resolved(case_id))
    assert world.states(case_id) == {
        "case-received": "queued",
        "referral-accepted": "queued",
        "needs-more-time": "queued",
        "case-resolved": "queued",
    }


async def test_only_the_first_acceptance_of_a_case_is_told(world: World) -> None:
    case_id = await world.report()
    await world.hear(accepted(case_id, agency="hpd"), accepted(case_id, agency="nypd"))
    told = world.query("SELECT agency FROM deliveries WHERE case_id = %s AND template = 'referral-accepted'", case_id)
    assert told == [("hpd",)]


async def test_news_that_comes_before_its_case_waits_for_it(world: World) -> None:
    case_id = uuid4()
    await world.hear(accepted(case_id), resolved(case_id))
    assert world.states(case_id) == {"referral-accepted": "waiting", "case-resolved": "waiting"}
    await world.send_all()
    person_id, contact = world.seal("ann@example.org")
    await world.hear(submitted(case_id, person_id, contact))
    assert set(world.states(case_id).values()) == {"queued"}


@pytest.mark.parametrize("heard_of_before", [False, True])
@pytest.mark.parametrize("case_first", [False, True])
async def test_news_and_its_case_heard_at_the_same_time_do_not_miss_each_other(
    world: World, *, heard_of_before: bool, case_first: bool
) -> None:
    """What one consumer has not committed yet the other cannot see, so it has to wait."""
    case_id = uuid4()
    if heard_of_before:
        await world.hear(held(case_id))
    work = [learn_case(submitted(case_id)), queue(accepted(case_id))]
    first, second = work if case_first else reversed(work)
    database = world.deliveries.database

    async def follow() -> None:
        async with database.transaction() as other:
            await second(other)

    async with database.transaction() as tx:
        await first(tx)
        waits = asyncio.create_task(follow())
        await asyncio.sleep(0.2)
        assert not waits.done()
    await waits
    assert set(world.states(case_id).values()) == {"queued"}


async def test_many_cases_heard_on_both_topics_at_once_leave_nothing_waiting(world: World) -> None:
    cases = [uuid4() for _ in range(60)]
    await asyncio.gather(
        world.hear(*(submitted(case_id) for case_id in cases)),
        world.hear(*(accepted(case_id) for case_id in reversed(cases))),
        world.hear(*(resolved(case_id) for case_id in cases)),
    )
    assert world.query("SELECT state, count(*) FROM deliveries GROUP BY state") == [("queued", 180)]


async def test_nobody_is_told_of_an_imported_case(world: World) -> None:
    case_id = await world.report(channel="import")
    await world.hear(accepted(case_id), resolved(case_id))
    await world.hear(resolved(case_id, resolution="not-completed", record_only=True))
    assert world.states(case_id) == {}


async def test_news_of_an_imported_case_that_came_first_is_dropped(world: World) -> None:
    case_id = uuid4()
    await world.hear(accepted(case_id))
    await world.hear(submitted(case_id, channel="import"))
    assert world.states(case_id) == {}


async def test_what_is_queued_carries_the_trace_on(world: World) -> None:
    case_id = await world.report()
    [(traceparent,)] = world.query("SELECT traceparent FROM deliveries WHERE case_id = %s", case_id)
    assert traceparent.split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


async def test_no_address_is_kept_in_the_clear(world: World) -> None:
    await world.report("planted.name@example.org")
    await world.send_all()
    tables = world.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'notifications'")
    kept = "".join(str(world.query(f"SELECT * FROM {table}")) for (table,) in tables)
    assert "planted" not in kept
    assert "555-0199" not in kept


@pytest.mark.parametrize("language", [CASES, REFERRALS])
async def test_whatever_is_said_and_ever_was_is_heard_and_nothing_of_it_is_set_aside(
    world: World, language: TopicSpec
) -> None:
    consumer = world.consumers[language.topic]
    for heard in (*samples_of(language), stranger(language)):
        await consumer([heard, heard])
    assert world.query("SELECT reason FROM dead_letters") == []


async def test_a_type_that_nobody_knows_yet_tells_nobody_anything(world: World) -> None:
    await world.consumers[CASES.topic]([stranger(CASES)])
    assert world.query("SELECT count(*) FROM deliveries") == [(0,)]
    assert world.query("SELECT count(*) FROM inbox") == [(1,)]
