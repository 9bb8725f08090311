"""The pages have the same texts in each language, and a text for everything that can happen."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.app import load_city
from services.intake.domain.progress import NOTE_TYPES, STATE_AFTER
from services.intake.http.translations import FOLDER, LANGUAGES, texts_in
from shared.events.fields import FieldGroup
from shared.kit.service.settings import SAMPLE_CITY
from tests.unit.intake.fixtures import INTAKE_CITY

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def keys(words: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in words.items():
        yield from keys(value, f"{above}{key}.") if isinstance(value, Mapping) else [f"{above}{key}"]


def words(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_words_for_the_same_things(language: str) -> None:
    assert set(keys(words(language))) == set(keys(words("en")))


def test_every_kind_of_note_has_words() -> None:
    kinds = {*STATE_AFTER, *NOTE_TYPES, "overdue", "escalated", "unroutable", "withdrawn"}

    assert kinds <= words("en")["note"].keys()


def test_a_note_names_agency_and_need_and_an_unknown_kind_does_no_harm() -> None:
    texts = texts_in("en", INTAKE_CITY)

    assert texts.describe_note("accepted", "homes", "housing") == "Homes Office will help: Housing"
    assert texts.describe_note("sung-about", None, None) == "Updated"


def test_a_consent_allows_the_whole_report_when_it_names_every_group_that_protects_it() -> None:
    texts, victims, drugs = texts_in("en", INTAKE_CITY), FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE
    whole, names = texts["share.report"], texts.groups
    assert texts.consent_scope((victims,), (victims,)) == whole
    assert texts.consent_scope((victims, FieldGroup.NEED), (victims,)) == f"{whole}, {names([FieldGroup.NEED])}"
    assert texts.consent_scope((victims,), (victims, drugs)) == names([victims])
    assert texts.consent_scope((victims, drugs), (victims, drugs)) == whole
    assert texts.consent_scope((FieldGroup.NEED,), ()) == names([FieldGroup.NEED])


def test_a_language_without_words_is_answered_in_english() -> None:
    assert texts_in("tlh", INTAKE_CITY).language == "en"


def test_the_sample_city_is_translated_as_a_whole() -> None:
    city = load_city(SAMPLE_CITY)
    for language in city.translations:
        texts = texts_in(language, city)
        missing = [service.code for service in city.catalogue if texts.service(service.code) == service.name]
        assert missing == []
        for service in city.catalogue:
            for question in service.attribute:
                assert texts.question(service.code, question.code, "") != "", (service.code, question.code)
                for choice in question.values:
                    assert choice.name in city.translations[language]["choice"], choice.name


def test_every_reason_that_the_sample_city_s_agreements_give_is_translated() -> None:
    city = load_city(SAMPLE_CITY)
    reasons = set(city.consent_catalogue.reasons)
    for language in city.translations:
        texts = texts_in(language, city)
        assert {reason for reason in reasons if texts.reason(reason) == reason} == set()
    assert len(reasons) > 20


def test_every_group_and_every_purpose_has_words() -> None:
    assert {group.value for group in FieldGroup} == words("en")["group"].keys()
    city = load_city(SAMPLE_CITY)
    offers = [offer for service in city.catalogue for offer in city.consent_options(service.code, service.needs, NOW)]
    assert {offer.purpose for offer in offers} <= words("en")["purpose"].keys()
    assert {"lantern", "dohmh"} <= {offer.recipient for offer in offers}
