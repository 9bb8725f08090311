"""The recipient, the language and the states of a mail."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.deliveries import (
    Addressed,
    Delivery,
    Suppressed,
    choose_language,
    choose_recipient,
    normalize_address,
)
from services.notifications.domain.notifications import Template
from services.notifications.domain.outcomes import (
    GIVE_UP_AFTER,
    LONGEST_WAIT,
    Accepted,
    Deferred,
    FinalState,
    Rejected,
    Retry,
    SendOutcome,
    Uncertain,
    decide_state,
    retry_wait,
)
from shared.events.fields import RESTRICTED, FieldGroup
from shared.events.notifications import NotificationFailed, NotificationSent, NotificationSuppressed

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WAIT = timedelta(seconds=30)
RECEIVED = Template.CASE_RECEIVED


def delivery(tries: int = 0, created_at: datetime = NOW) -> Delivery:
    return Delivery(
        id=UUID(int=1),
        case_id=UUID(int=2),
        template=Template.CASE_RECEIVED,
        cause=UUID(int=3),
        agency=None,
        detail=None,
        traceparent=None,
        tries=tries,
        created_at=created_at,
        service_request_id="SR-1",
        service_code="heat-hot-water",
        language="en",
        person_id=UUID(int=4),
        contact="block",
    )


def test_a_mail_goes_to_the_address_that_the_reporter_gave() -> None:
    assert choose_recipient(" ann@example.org ", None, RECEIVED) == Addressed("ann@example.org", discreet=False)


@pytest.mark.parametrize("given_address", [None, "", "ann", "ann@", "@example.org", "ann@localhost"])
def test_without_a_usable_address_no_mail_is_sent(given_address: str | None) -> None:
    assert choose_recipient(given_address, None, RECEIVED) == Suppressed("no-address")


@pytest.mark.parametrize("email", ["ann@example.org", None])
def test_no_mail_shows_that_a_case_about_violence_exists(email: str | None) -> None:
    assert choose_recipient(email, FieldGroup.VICTIM_SERVICES, RECEIVED) == Suppressed("not-wanted")


def test_a_mail_about_treatment_is_discreet() -> None:
    chosen = choose_recipient("ann@example.org", FieldGroup.SUBSTANCE_USE, RECEIVED)
    assert chosen == Addressed("ann@example.org", discreet=True)


@pytest.mark.parametrize("template", [template for template in Template if template.is_about_sharing])
@pytest.mark.parametrize("protects", sorted(RESTRICTED))
def test_no_mail_about_sharing_goes_out_of_a_protected_report(template: Template, protects: FieldGroup) -> None:
    assert choose_recipient("ann@example.org", protects, template) == Suppressed("not-wanted")
    assert choose_recipient("ann@example.org", None, template) == Addressed("ann@example.org", discreet=False)


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org, bob@example.org",
        "ann@example.org\r\nBcc: bob@example.org",
        "Ann <ann@example.org>",
        "ann@exa mple.org",
        "ann@@example.org",
        "ann@example.org\x00",
        "a" * 65 + "@example.org",
        "ann@" + "a" * 64 + ".org",
    ],
)
def test_what_is_not_one_address_is_not_used(text: str) -> None:
    assert normalize_address(text) is None


def test_a_domain_beyond_ascii_is_written_as_the_name_system_knows_it() -> None:
    assert normalize_address("ann@bücher.example") == "ann@xn--bcher-kva.example"


@given(st.text())
def test_a_used_address_is_one_line_for_one_recipient(text: str) -> None:
    address = normalize_address(text)
    assert address is None or (address.isprintable() and address.count("@") == 1 and not set(address) & set(" ,;<>"))


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [("es", "es"), ("es-MX", "es"), ("ES", "es"), ("zh-Hant-TW", "en"), ("", "en"), ("en-GB", "en"), ("e", "en")],
)
def test_a_mail_is_in_the_residents_language_or_else_in_the_citys(wanted: str, chosen: str) -> None:
    assert choose_language(wanted, frozenset({"en", "es"}), "en") == chosen


@pytest.mark.parametrize(
    ("outcome", "state", "event"),
    [
        (Accepted(), "sent", NotificationSent),
        (Rejected("550"), "failed", NotificationFailed),
        (Uncertain("SMTPServerDisconnected"), "uncertain", NotificationFailed),
        (Suppressed("erased"), "suppressed", NotificationSuppressed),
    ],
)
def test_each_final_state_is_published_by_its_own_event(
    outcome: SendOutcome | Suppressed, state: str, event: type
) -> None:
    end = decide_state(delivery(), outcome, WAIT, NOW)
    assert isinstance(end, FinalState)
    assert end.state == state
    assert isinstance(end.event, event)
    assert end.event.delivery_id == delivery().id


def test_a_deferred_mail_is_tried_again_later() -> None:
    assert decide_state(delivery(), Deferred("451"), WAIT, NOW) == Retry(WAIT, "451")


def test_a_mail_that_is_deferred_for_days_fails() -> None:
    end = decide_state(delivery(created_at=NOW - GIVE_UP_AFTER), Deferred("451"), WAIT, NOW)
    assert isinstance(end, FinalState)
    assert end.state == "failed"


@given(st.integers(1, 10_000))
def test_waits_grow_up_to_an_hour(tries: int) -> None:
    assert WAIT <= retry_wait(tries, WAIT) <= retry_wait(tries + 1, WAIT) <= LONGEST_WAIT


def test_waits_double() -> None:
    assert [retry_wait(tries, WAIT).total_seconds() for tries in (1, 2, 3, 9)] == [30, 60, 120, 3600]
