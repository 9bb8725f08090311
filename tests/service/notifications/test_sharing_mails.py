"""Mails about consents and emergency access go out once each, and reveal nothing about a protected report."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from shared.events.intake import Need
from tests.service.notifications.events import accepted, granted, opened, withdrawn
from tests.service.notifications.harness import NotificationsHarness
from tests.service.notifications.mail_server import MailServerForTests

OFFICE = "privacy@sample-city.example.org"


def sent_to(mails: MailServerForTests, address: str) -> list[str]:
    """Return the templates of the mails that an address got, in order."""
    return [str(mail["X-Handoff-Template"]) for mail in mails.mails if mail["To"] == address]


async def test_a_consent_and_its_withdrawal_are_confirmed_once(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id, consent = await harness.report(), uuid4()
    await harness.consume(granted(case_id, consent), withdrawn(case_id, consent), granted(case_id, uuid4()))
    await harness.send_all()
    templates = ["case-received", "consent-granted", "consent-granted", "consent-withdrawn"]
    assert sent_to(mails, "ann@example.org") == templates
    assert not [mail for mail in mails.mails if "hra" in mail.as_string() or "health" in mail.as_string().lower()]


async def test_a_consent_to_an_imported_report_is_not_confirmed(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report(channel="import")
    await harness.consume(granted(case_id, uuid4()))
    await harness.send_all()
    assert mails.mails == []


async def test_the_reporter_and_the_privacy_office_are_notified_of_an_emergency_access_once(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id, access = await harness.report("ann@example.org", language="es"), uuid4()
    access_opened = opened(case_id, access)
    await harness.consume(access_opened, access_opened)
    harness.rows("DELETE FROM inbox")
    await harness.consume(access_opened)
    await harness.send_all()
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    assert sent_to(mails, "ann@example.org") == ["case-received", "emergency-access"]
    [review] = [mail for mail in mails.mails if mail["To"] == OFFICE]
    assert str(access) in review.as_string()
    assert str(case_id) in review.as_string()
    assert "ann@example.org" not in review.as_string()
    assert review["Content-Language"] == "en"


async def test_the_privacy_office_is_notified_though_the_case_is_not_known_yet(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = uuid4()
    await harness.consume(opened(case_id, uuid4()))
    await harness.send_all()
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    assert harness.states(case_id)["emergency-access"] == "waiting"


async def test_a_mail_under_an_embargo_is_sent_when_it_ends_and_delays_no_other(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report()
    await harness.consume(opened(case_id, uuid4(), shown_from=datetime.now(UTC) + timedelta(days=1)))
    await harness.consume(accepted(case_id, hours=3))
    await harness.send_all()
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    assert sent_to(mails, "ann@example.org") == ["case-received", "referral-accepted"]
    harness.rows(
        "UPDATE deliveries SET not_before = now(), next_try_at = now(), created_at = now() - interval '9 days'"
        " WHERE state = 'queued'"
    )
    mails.answers_to_recipient = ["450 busy"]
    await harness.send_all()
    assert harness.states(case_id)["emergency-access"] == "queued"
    harness.rows("UPDATE deliveries SET next_try_at = now()")
    await harness.send_all()
    assert sent_to(mails, "ann@example.org")[-1] == "emergency-access"


async def test_an_embargo_outlasts_the_wait_for_the_case(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = uuid4()
    await harness.consume(opened(case_id, uuid4(), shown_from=datetime.now(UTC) + timedelta(days=1)))
    await harness.report_again(case_id)
    await harness.send_all()
    assert sent_to(mails, "ann@example.org") == ["case-received"]


@pytest.mark.parametrize(
    "service", ["partner-violence-help", "elder-abuse-help", "alcohol-or-drug-help", "never-heard-of"]
)
async def test_no_mail_shows_that_something_of_a_protected_report_is_shared(
    harness: NotificationsHarness, mails: MailServerForTests, service: str
) -> None:
    case_id, consent = await harness.report(service_code=service), uuid4()
    await harness.consume(granted(case_id, consent), withdrawn(case_id, consent), opened(case_id, uuid4()))
    await harness.send_all()
    assert set(sent_to(mails, "ann@example.org")) <= {"case-received"}
    assert sent_to(mails, OFFICE) == ["emergency-review"]
    rows = harness.rows("SELECT problem FROM deliveries WHERE case_id = %s AND state = 'suppressed'", case_id)
    assert set(rows) == {("not-wanted",)}
    assert len(rows) >= 3


async def test_a_report_is_protected_by_a_need_that_only_protected_services_name(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    violence = (Need(need_id=uuid4(), need="intimate-partner-violence"),)
    await harness.report(service_code="heat-hot-water", needs=violence)
    shared = (Need(need_id=uuid4(), need="housing-instability"),)
    await harness.report("bob@example.org", service_code="heat-hot-water", needs=shared)
    await harness.send_all()
    assert [mail["To"] for mail in mails.mails] == ["bob@example.org"]


def problem_of(harness: NotificationsHarness, case_id: UUID) -> list[tuple[str, str]]:
    """Return state and problem of each mail of a case."""
    return harness.rows("SELECT state, problem FROM deliveries WHERE case_id = %s", case_id)


async def test_without_an_address_only_the_privacy_office_is_notified_of_an_emergency(
    harness: NotificationsHarness, mails: MailServerForTests
) -> None:
    case_id = await harness.report(None)
    await harness.consume(opened(case_id, uuid4()))
    await harness.send_all()
    assert [mail["To"] for mail in mails.mails] == [OFFICE]
    assert ("suppressed", "no-address") in problem_of(harness, case_id)
