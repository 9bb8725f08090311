"""Consents are confirmed, accesses in an emergency are told, each once, and no mailbox gives anybody away by it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.events.intake import Need
from tests.service.notifications.events import accepted, granted, opened, withdrawn
from tests.service.notifications.mail_server import MailServerForTests
from tests.service.notifications.world import World

OFFICE = "privacy@sample-city.example.org"


def sent_to(mails: MailServerForTests, address: str) -> list[str]:
    """Return the templates of the mails that an address got, in order."""
    return [str(mail["X-Handoff-Template"]) for mail in mails.mails if mail["To"] == address]


async def test_a_consent_and_its_withdrawal_are_confirmed_once(world: World, mails: MailServerForTests) -> None:
    case_id, consent = await world.report(), uuid4()
    await world.hear(granted(case_id, consent), withdrawn(case_id, consent), granted(case_id, uuid4()))
    await world.send_all()
    told = ["case-received", "consent-granted", "consent-granted", "consent-withdrawn"]
    assert sent_to(mails, "ann@example.org") == told
    assert not [mail for mail in mails.mails if "hra" in mail.as_string() or "health" in mail.as_string().lower()]


async def test_a_consent_to_an_imported_report_is_confirmed_to_nobody(world: World, mails: MailServerForTests) -> None:
    case_id = await world.report(channel="import")
    await world.hear(granted(case_id, uuid4()))
    await world.send_all()
    assert mails.mails == []


async def test_an_access_in_an_emergency_is_told_to_the_reporter_and_to_the_privacy_office_once(
    world: World, mails: MailServerForTests
) -> None:
    case_id, access = await world.report("ann@example.org", language="es"), uuid4()
    access_opened = opened(case_id, access)
    await world.hear(access_opened, access_opened)
    world.query("DELETE FROM inbox")
    await world.hear(access_opened)
    await world.send_all()
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    assert sent_to(mails, "ann@example.org") == ["case-received", "emergency-access"]
    [office] = [mail for mail in mails.mails if mail["To"] == OFFICE]
    assert str(access) in office.as_string()
    assert str(case_id) in office.as_string()
    assert "ann@example.org" not in office.as_string()
    assert office["Content-Language"] == "en"


async def test_the_privacy_office_is_told_though_the_case_is_not_known_yet(
    world: World, mails: MailServerForTests
) -> None:
    case_id = uuid4()
    await world.hear(opened(case_id, uuid4()))
    await world.send_all()
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    assert world.states(case_id)["emergency-access"] == "waiting"


async def test_a_lawfully_delayed_access_is_told_when_the_delay_ends_and_holds_up_nothing(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report()
    await world.hear(opened(case_id, uuid4(), shown_from=datetime.now(UTC) + timedelta(days=1)))
    await world.hear(accepted(case_id, hours=3))
    await world.send_all()
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    assert sent_to(mails, "ann@example.org") == ["case-received", "referral-accepted"]
    world.query(
        "UPDATE deliveries SET not_before = now(), next_try_at = now(), created_at = now() - interval '9 days'"
        " WHERE state = 'queued'"
    )
    mails.answers_to_recipient = ["450 busy"]
    await world.send_all()
    assert world.states(case_id)["emergency-access"] == "queued"
    world.query("UPDATE deliveries SET next_try_at = now()")
    await world.send_all()
    assert sent_to(mails, "ann@example.org")[-1] == "emergency-access"


async def test_a_delay_outlasts_the_wait_for_the_case(world: World, mails: MailServerForTests) -> None:
    case_id = uuid4()
    await world.hear(opened(case_id, uuid4(), shown_from=datetime.now(UTC) + timedelta(days=1)))
    await world.report_again(case_id)
    await world.send_all()
    assert sent_to(mails, "ann@example.org") == ["case-received"]


@pytest.mark.parametrize(
    "service", ["partner-violence-help", "elder-abuse-help", "alcohol-or-drug-help", "never-heard-of"]
)
async def test_no_mail_shows_that_something_of_a_protected_report_is_shared(
    world: World, mails: MailServerForTests, service: str
) -> None:
    case_id, consent = await world.report(service_code=service), uuid4()
    await world.hear(granted(case_id, consent), withdrawn(case_id, consent), opened(case_id, uuid4()))
    await world.send_all()
    assert set(sent_to(mails, "ann@example.org")) <= {"case-received"}
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    rows = world.query("SELECT problem FROM deliveries WHERE case_id = %s AND state = 'suppressed'", case_id)
    assert set(rows) == {("not-wanted",)}
    assert len(rows) >= 3


async def test_a_report_is_protected_by_a_need_that_only_protected_services_name(
    world: World, mails: MailServerForTests
) -> None:
    violence = (Need(need_id=uuid4(), need="intimate-partner-violence"),)
    await world.report(service_code="heat-hot-water", needs=violence)
    shared = (Need(need_id=uuid4(), need="housing-instability"),)
    await world.report("bob@example.org", service_code="heat-hot-water", needs=shared)
    await world.send_all()
    assert [mail["To"] for mail in mails.mails] == ["bob@example.org"]


def problem_of(world: World, case_id: UUID) -> list[tuple[str, str]]:
    """Return state and problem of each mail of a case."""
    return world.query("SELECT state, problem FROM deliveries WHERE case_id = %s", case_id)


async def test_without_an_address_nobody_but_the_office_is_told_of_an_emergency(
    world: World, mails: MailServerForTests
) -> None:
    case_id = await world.report(None)
    await world.hear(opened(case_id, uuid4()))
    await world.send_all()
    assert [mail["To"] for mail in mails.mails] == [OFFICE]
    assert ("suppressed", "no-address") in problem_of(world, case_id)
