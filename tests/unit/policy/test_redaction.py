"""Free text loses what tells who wrote it, and keeps the rest."""

import re
import string

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from shared.policy.redaction import EMAIL, MOST_TRIED, PHONE, PLATE, SSN, redact

WORDS = st.text(string.ascii_letters + " ,.!?'\n", max_size=40)
FORMATS = (
    "{}-{}-{}",
    "({}) {}-{}",
    "{}.{}.{}",
    "{} {} {}",
    "{}{}{}",
    "+1 {} {} {}",
    "1-{}-{}-{}",
    "({}){}-{}",
    "{}/{}/{}",
)
NAMES = st.text(string.ascii_lowercase + string.digits + "._-+", min_size=1, max_size=20)


def digits(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


NUMBERS = st.tuples(st.integers(200, 999), st.integers(200, 999), st.integers(0, 9999).map("{:04}".format))


@given(WORDS, st.sampled_from(FORMATS), NUMBERS, WORDS)
def test_a_telephone_number_is_taken_out(before: str, form: str, number: tuple[int, int, str], after: str) -> None:
    assert not digits(redact(f"{before} {form.format(*number)} {after}"))


@given(WORDS, NAMES, st.sampled_from("@\uff20"), st.sampled_from(("example.org", "mail.example.co.uk")), WORDS)
def test_an_email_address_is_taken_out(before: str, name: str, at: str, domain: str, after: str) -> None:
    cleaned = redact(f"{before} {name}{at}{domain} {after}")
    assert cleaned == f"{before} {EMAIL} {after}"


@given(
    WORDS,
    st.integers(100, 999),
    st.integers(10, 99),
    st.integers(1000, 9999),
    st.sampled_from(("-", " ", "", ".", "\u2013")),
)
def test_a_social_security_number_is_taken_out(before: str, area: int, group: int, serial: int, dash: str) -> None:
    assert redact(f"{before} {area}{dash}{group}{dash}{serial}.") == f"{before} {SSN}."


@pytest.mark.parametrize(
    "plate", ["ABC1234", "abc-1234", "7ABC123", "T123456C", "123-ABC", "JKL 4521", "1234 AB", "AB12345"]
)
def test_what_looks_like_a_plate_is_taken_out(plate: str) -> None:
    assert redact(f"A car, {plate}, blocks the door.") == f"A car, {PLATE}, blocks the door."


@pytest.mark.parametrize("region", ["GB", "DE", "MX", "IN", "BR", "FR"])
def test_a_number_of_another_country_is_taken_out(region: str) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    at_home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    assert redact(f"call {abroad} please") == f"call {PHONE} please"
    assert redact(f"call {at_home} please", region) == f"call {PHONE} please"


@pytest.mark.parametrize(
    "text",
    [
        "No heat since 01/15/2026, 8:30 in the morning.",
        "2026-01-15T08:00:00-05:00",
        "Since 2026-01-15 08:00, or 1/15/2026 08:00:00.",
        "Apartment 4B, 123 Main St, 11201-1234; the 125th street side, 42nd floor.",
        "At 1030am and 7:30pm, 3 days, 20 people, 2000lbs.",
        "40.712776, -74.005974",
        "Meet @ the corner.",
        "",
    ],
)
def test_what_tells_nothing_about_a_person_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(string.ascii_letters + " .,!?", max_size=200))
def test_a_text_without_digits_and_signs_stays_as_it_is(text: str) -> None:
    assert redact(text) is text


@given(st.text(st.sampled_from("ab1 2.@\uff20-\n"), max_size=60))
@settings(max_examples=500)
def test_no_text_keeps_an_address_or_nine_digits_in_a_row_that_stand_alone(text: str) -> None:
    cleaned = redact(text)
    assert not re.search(r"[^\s@\uff20][@\uff20][^\s@\uff20]", cleaned)
    assert not re.search(r"(?<!\S)[12]{9,10}(?!\S)", cleaned)


def test_numbers_that_stand_side_by_side_are_all_taken_out() -> None:
    assert redact("212 555 0123 718 555 0124") == f"{PHONE} {PHONE}"


def test_when_there_are_too_many_to_look_at_all_go() -> None:
    dates = ", ".join(["2026-01-15"] * (MOST_TRIED + 2))
    assert redact(dates).endswith(f"2026-01-15, {PHONE}, {PHONE}")
