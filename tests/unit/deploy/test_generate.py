"""Invented reports are valid, they vary, and some repeat an earlier one."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice

from deploy.local.generate import SAMPLE_CITY, Form, generate_reports, read_sample_data
from services.intake.app import load_city
from services.intake.domain.report import read_report
from services.intake.domain.validation import Refusal

MATERIAL = read_sample_data()
CITY = MATERIAL.city


def take(count: int, seed: int = 7) -> list[Form]:
    return list(islice(generate_reports(MATERIAL, seed), count))


def test_the_same_seed_gives_the_same_reports_and_another_seed_others() -> None:
    assert take(50) == take(50)
    assert take(50) != take(50, seed=8)


def test_intake_accepts_every_report() -> None:
    jurisdiction = load_city(SAMPLE_CITY)
    for form in take(1000):
        fields = {name: value if isinstance(value, list) else [value] for name, value in form.items()}
        report = read_report(fields, jurisdiction, datetime.now(UTC))
        assert not isinstance(report, Refusal), (form, report)


def test_places_lie_in_the_city() -> None:
    jurisdiction = load_city(SAMPLE_CITY)
    points = [(float(str(f["lat"])), float(str(f["long"]))) for f in take(500) if "lat" in f]
    inside = [jurisdiction.districts.at(*point).district for point in points]
    assert inside.count(None) / len(inside) < 0.02
    assert set(inside) - {None} == set(CITY.districts)


def test_every_language_of_the_city_is_spoken_and_several_needs_come_up() -> None:
    forms = take(500)
    assert {form["language"] for form in forms} == set(CITY.profile.languages)
    assert sum(len(CITY.services[str(form["service_code"])].needs) > 1 for form in forms) > 25


def test_some_reports_repeat_an_earlier_one_of_another_person() -> None:
    forms = take(500)
    told = Counter((form["service_code"], form["address_string"]) for form in forms)
    repeats = sum(count - 1 for count in told.values())
    assert 15 < repeats < 75
    mails = [form["email"] for form in forms if "email" in form]
    assert len(set(mails)) == len(mails)


def test_no_real_person_can_be_contacted() -> None:
    for form in take(300):
        assert str(form.get("email", "@example.org")).endswith("@example.org")
        assert "-555-01" in str(form.get("phone", "-555-01"))
