"""A notification is queued once, in whatever order the events arrive."""

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
from tests.builders import golden_records, unknown_type_record
from tests.service.notifications.events import accepted, held, resolved, submitted
from tests.service.notifications.harness import NotificationsHarness

Work = Callable[[Transaction], Awaitable[None]]


def learn_case(event: CaseSubmitted) -> Work:
    """Do what the consumer of cases does."""

    async def work(tx: Transaction) -> None:
        await save_reporters(tx, [reporter_of(event)])

    return work


def queue(event: ReferralAccepted) -> Work:
    """Do what the consumer of referrals does."""
    notifications = notifications_of(event, uuid4())

    async def work(tx: Transaction) -> None:
        await insert_deliveries(tx, notifications)

    return work


async def test_each_notification_is_queued_once(harness: NotificationsHarness) -> None:
    case_id = await harness.report()
    await harness.consume(accepted(case_id), held(case_id), resolved(case_id))
    assert harness.states(case_id) == {
        "case-received": "queued",
        "referral-accepted": "queued",
        "needs-more-time": "queued",
        "case-resolved": "queued",
    }


async def test_only_the_first_acceptance_of_a_case_leads_to_a_mail(harness: NotificationsHarness) -> None:
    case_id = await harness.report()
    await harness.consume(accepted(case_id, agency="hpd"), accepted(case_id, agency="nypd"))
    rows = harness.rows("SELECT agency FROM deliveries WHERE case_id = %s AND template = 'referral-accepted'", case_id)
    assert rows == [("hpd",)]


async def test_a_notification_that_arrives_before_its_case_waits_for_it(harness: NotificationsHarness) -> None:
    case_id = uuid4()
    await harness.consume(accepted(case_id), resolved(case_id))
    assert harness.states(case_id) == {"referral-accepted": "waiting", "case-resolved": "waiting"}
    await harness.send_all()
    person_id, contact = harness.seal("ann@example.org")
    await harness.consume(submitted(case_id, person_id, contact))
    assert set(harness.states(case_id).values()) == {"queued"}


@pytest.mark.parametrize("heard_of_before", [False, True])
@pytest.mark.parametrize("case_first", [False, True])
async def test_a_notification_and_its_case_that_arrive_at_the_same_time_do_not_miss_each_other(
    harness: NotificationsHarness, *, heard_of_before: bool, case_first: bool
) -> None:
    """One consumer does not see what the other has not committed yet, so it must wait."""
    case_id = uuid4()
    if heard_of_before:
        await harness.consume(held(case_id))
    work = [learn_case(submitted(case_id)), queue(accepted(case_id))]
    first, second = work if case_first else reversed(work)
    database = harness.deliveries.database

    async def follow() -> None:
        async with database.transaction() as other:
            await second(other)

    async with database.transaction() as tx:
        await first(tx)
        waits = asyncio.create_task(follow())
        await asyncio.sleep(0.2)
        assert not waits.done()
    await waits
    assert set(harness.states(case_id).values()) == {"queued"}


async def test_many_cases_that_arrive_on_both_topics_at_once_leave_nothing_waiting(
    harness: NotificationsHarness,
) -> None:
    cases = [uuid4() for _ in range(60)]
    await asyncio.gather(
        harness.consume(*(submitted(case_id) for case_id in cases)),
        harness.consume(*(accepted(case_id) for case_id in reversed(cases))),
        harness.consume(*(resolved(case_id) for case_id in cases)),
    )
    assert harness.rows("SELECT state, count(*) FROM deliveries GROUP BY state") == [("queued", 180)]


async def test_no_mail_is_sent_about_an_imported_case(harness: NotificationsHarness) -> None:
    case_id = await harness.report(channel="import")
    await harness.consume(accepted(case_id), resolved(case_id))
    await harness.consume(resolved(case_id, resolution="not-completed", record_only=True))
    assert harness.states(case_id) == {}


async def test_a_notification_that_arrives_before_its_imported_case_is_deleted(harness: NotificationsHarness) -> None:
    case_id = uuid4()
    await harness.consume(accepted(case_id))
    await harness.consume(submitted(case_id, channel="import"))
    assert harness.states(case_id) == {}


async def test_a_queued_mail_continues_the_trace(harness: NotificationsHarness) -> None:
    case_id = await harness.report()
    [(traceparent,)] = harness.rows("SELECT traceparent FROM deliveries WHERE case_id = %s", case_id)
    assert traceparent.split("-")[1] == "0af7651916cd43dd8448eb211c80319c"


async def test_no_address_is_stored_in_clear_text(harness: NotificationsHarness) -> None:
    await harness.report("planted.name@example.org")
    await harness.send_all()
    tables = harness.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'notifications'")
    kept = "".join(str(harness.rows(f"SELECT * FROM {table}")) for (table,) in tables)
    assert "planted" not in kept
    assert "555-0199" not in kept


@pytest.mark.parametrize("language", [CASES, REFERRALS])
async def test_every_published_event_of_any_version_is_consumed_and_none_becomes_a_dead_letter(
    harness: NotificationsHarness, language: TopicSpec
) -> None:
    consumer = harness.consumers[language.topic]
    for record in (*golden_records(language), unknown_type_record(language)):
        await consumer([record, record])
    assert harness.rows("SELECT reason FROM dead_letters") == []


async def test_an_event_of_an_unknown_type_leads_to_no_mail(harness: NotificationsHarness) -> None:
    await harness.consumers[CASES.topic]([unknown_type_record(CASES)])
    assert harness.rows("SELECT count(*) FROM deliveries") == [(0,)]
    assert harness.rows("SELECT count(*) FROM inbox") == [(1,)]
