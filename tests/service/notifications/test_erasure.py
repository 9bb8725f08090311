"""Whoever has been erased is forgotten, in whatever order it is heard, and no replay brings them back."""

import asyncio
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from shared.events.event import Event
from tests.service.notifications.events import accepted, erased, granted, opened, resolved, submitted
from tests.service.notifications.mail_server import STALL, MailServerForTests
from tests.service.notifications.world import World

PERSONAL = "service_request_id, service_code, language, person_id, contact, protects"
NOTHING = (None,) * 6


def kept(world: World, case_id: UUID) -> list[tuple[object, ...]]:
    """Return what is kept of the reporter of a case."""
    return world.query(f"SELECT {PERSONAL} FROM cases WHERE case_id = %s", case_id)


def forget_what_was_heard(world: World) -> None:
    """Let every message count as new: a replay after the inbox has been lost."""
    world.query("DELETE FROM inbox")


async def test_of_an_erased_reporter_only_a_tombstone_is_left(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report()
    await world.hear(accepted(case_id))
    await world.send_all()
    await world.hear(erased(case_id))
    assert kept(world, case_id) == [NOTHING]
    left = world.query("SELECT DISTINCT state, agency, detail, traceparent FROM deliveries WHERE case_id = %s", case_id)
    assert left == [("sent", None, None, None)]
    assert len(mails.mails) == 2


async def test_mails_that_were_still_to_be_sent_are_suppressed_and_that_is_said(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    await world.hear(accepted(case_id))
    mails.answers_to_recipient = ["450 busy"]
    await world.send_all()
    await world.hear(erased(case_id))
    await world.send_all()
    rows = world.query("SELECT state, problem FROM deliveries WHERE case_id = %s", case_id)
    assert rows == [("suppressed", "erased")] * 2
    assert world.said(case_id) == ["notification.suppressed.v1"] * 2
    assert mails.mails == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_in_any_order_of_arrival_the_reporter_stays_forgotten(
    world: World, mails: MailServerForTests, order: tuple[int, ...]
) -> None:
    """The key is still in the vault here: the tombstone alone must do."""
    case_id = uuid4()
    person_id, contact = world.seal("ann@example.org")
    told: list[Event] = [
        submitted(case_id, person_id, contact), erased(case_id, person_id), accepted(case_id),
        granted(case_id, uuid4()),
    ]  # fmt: skip
    for _ in range(2):
        await world.hear(*(told[place] for place in order))
        forget_what_was_heard(world)
    await world.send_all()
    assert kept(world, case_id) == [NOTHING]
    assert mails.mails == []
    assert set(world.states(case_id).values()) == {"suppressed"}
    assert world.query("SELECT DISTINCT agency, detail FROM deliveries WHERE case_id = %s", case_id) == [(None, None)]


async def test_both_topics_heard_at_once_leave_nothing_of_the_erased(world: World, mails: MailServerForTests) -> None:
    cases = [(uuid4(), *world.seal(f"ann{number}@example.org")) for number in range(20)]
    await asyncio.gather(
        world.hear(*(submitted(*case) for case in cases)),
        world.hear(*(erased(case_id, person_id) for case_id, person_id, _ in cases)),
        world.hear(*(accepted(case_id) for case_id, _, _ in reversed(cases))),
    )
    await world.send_all()
    assert world.query(f"SELECT DISTINCT {PERSONAL} FROM cases") == [NOTHING]
    assert mails.mails == []


async def test_a_replay_sends_no_mail_again_to_anybody(world: World, mails: MailServerForTests) -> None:
    case_id, other = uuid4(), uuid4()
    told: list[Event] = []
    for each in (case_id, other):
        told += [submitted(each, *world.seal("ann@example.org")), accepted(each), resolved(each)]
    await world.hear(*told)
    await world.send_all()
    await world.hear(erased(case_id))
    forget_what_was_heard(world)
    await world.hear(*told, erased(case_id))
    await world.send_all()
    assert len(mails.mails) == 6
    assert set(world.states(case_id).values()) == set(world.states(other).values()) == {"sent"}


async def test_a_mail_that_is_in_hand_while_its_reporter_is_erased_ends_as_it_ended(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    mails.answers_to_data = [STALL]
    server = world.server()
    await server.connect()
    sending = asyncio.create_task(world.worker(server).send_next())
    assert await asyncio.to_thread(mails.holding.wait, 30)
    await world.hear(erased(case_id), accepted(case_id))
    mails.go_on.set()
    await sending
    await server.close()
    await world.send_all()
    assert world.states(case_id) == {"case-received": "sent", "referral-accepted": "suppressed"}
    assert len(mails.mails) == 1


async def test_the_privacy_office_still_hears_of_an_access_to_what_was_erased(
    world: World, mails: MailServerForTests
) -> None:
    case_id, access = await world.report(service_request_id="SR-17"), uuid4()
    await world.hear(erased(case_id), opened(case_id, access))
    await world.send_all()
    [mail] = mails.mails
    assert mail["To"] == "privacy@sample-city.example.org"
    assert str(access) in mail.as_string()
    assert "SR-17" not in mail.as_string()
    assert world.states(case_id)["emergency-access"] == "suppressed"
