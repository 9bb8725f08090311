"""Each mail can be rendered in each language, is easy to read, and reveals nothing that it must not."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from uuid import UUID

import pytest

from services.notifications.domain.deliveries import Addressed, Delivery
from services.notifications.domain.notifications import Recipient, Template
from services.notifications.use_cases.mail_renderer import IncompleteLanguageError, MailRenderer
from shared.city.reader import TEMPLATES, read_city
from shared.events.fields import FieldGroup
from shared.kit.service.settings import SAMPLE_CITY

CITY = read_city(SAMPLE_CITY)
IN_SPANISH = replace(CITY, profile=CITY.profile.model_copy(update={"default_language": "es"}))
RENDERER = MailRenderer(CITY, SAMPLE_CITY / TEMPLATES, None, "https://311.example.org")
SPANISH = MailRenderer(IN_SPANISH, SAMPLE_CITY / TEMPLATES, None, "https://311.example.org")
PREVIEW = 300
"""Mail programs show at most about so many characters beside the subject."""
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DETAILS: dict[Template, list[str | None]] = {
    Template.CASE_RECEIVED: [None],
    Template.REFERRAL_ACCEPTED: [None],
    Template.NEEDS_MORE_TIME: ["no-access", "unable-to-contact", "waiting-for-person", "waiting-for-weather", "other"],
    Template.CASE_RESOLVED: ["completed", "not-completed", "withdrawn"],
    Template.CONSENT_GRANTED: ["2026-06-01"],
    Template.CONSENT_WITHDRAWN: [None],
    Template.EMERGENCY_ACCESS: [None],
    Template.EMERGENCY_REVIEW: ["6f1b7a52-0000-4000-8000-000000000001"],
}
EVERY_MAIL = [(template, detail) for template, details in DETAILS.items() for detail in details]
LANGUAGES = sorted(RENDERER.languages)
EVERYWHERE = list(itertools.product(LANGUAGES, EVERY_MAIL))


def delivery(template: Template, detail: str | None, language: str = "en") -> Delivery:
    return Delivery(
        id=UUID(int=1),
        case_id=UUID(int=2),
        template=template,
        cause=UUID(int=3),
        agency="hpd",
        detail=detail,
        traceparent=None,
        tries=0,
        created_at=NOW,
        service_request_id="SR-2026-17",
        service_code="heat-hot-water",
        language=language,
        person_id=UUID(int=4),
        contact="block",
    )


def rendered(mail: Delivery, to: Addressed) -> EmailMessage:
    return message_from_bytes(RENDERER.render(mail, to, NOW).as_bytes(), EmailMessage, policy=SMTP)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_there_are_mails_in_english_and_spanish() -> None:
    assert {"en", "es"} <= RENDERER.languages


@pytest.mark.parametrize(("language", "mail"), EVERYWHERE)
def test_every_mail_can_be_written_in_every_language(language: str, mail: tuple[Template, str | None]) -> None:
    content = RENDERER.render_text(delivery(*mail, language=language), discreet=False)
    assert content.language == (language if mail[0].recipient is Recipient.REPORTER else CITY.profile.default_language)
    language = content.language
    assert "SR-2026-17" in content.subject
    assert "SR-2026-17" in content.text
    assert "https://311.example.org" in content.text
    assert CITY.profile.contact_phone in content.text
    assert f'<html lang="{language}">' in content.html
    assert '<a href="https://311.example.org"' in content.html
    assert "{" not in content.subject + content.text
    assert "None" not in content.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_detail_has_its_own_text(language: str) -> None:
    texts = {RENDERER.render_text(delivery(*mail, language=language), discreet=False).text for mail in EVERY_MAIL}
    assert len(texts) == len(EVERY_MAIL)


def test_a_language_without_mails_gets_the_citys_own() -> None:
    assert (
        RENDERER.render_text(delivery(Template.CASE_RECEIVED, None, "ht"), discreet=False).language
        == CITY.profile.default_language
    )


def test_agency_and_service_are_named_as_the_city_names_them() -> None:
    text = RENDERER.render_text(delivery(Template.REFERRAL_ACCEPTED, None), discreet=False).text
    assert "Sample City Housing Office" in text
    assert "No heat or hot water" in text


@pytest.mark.parametrize(("language", "mail"), EVERYWHERE)
def test_a_discreet_mail_names_neither_agency_nor_service(language: str, mail: tuple[Template, str | None]) -> None:
    changed = replace(delivery(*mail, language=language), service_code="alcohol-or-drug-help", agency="dohmh")
    content = RENDERER.render_text(changed, discreet=True)
    text = (content.subject + content.text + content.html).lower()
    assert not {word for word in ("alcohol", "drug", "health", "salud") if word in text}


@pytest.mark.parametrize(("language", "mail"), EVERYWHERE)
def test_subject_and_preview_do_not_reveal_what_a_protected_report_is_about(
    language: str, mail: tuple[Template, str | None]
) -> None:
    protected = {code: service for code, service in CITY.services.items() if service.protects}
    assert len(protected) >= 3
    for code, service in protected.items():
        changed = replace(delivery(*mail, language=language), service_code=code, agency="nypd")
        content = RENDERER.render_text(changed, discreet=True)
        shown = (content.subject + " " + content.text[:PREVIEW]).lower()
        telling = {service.name, *(agency.name for agency in CITY.agencies.values()), code, *service.needs}
        assert not [word for word in telling if word.lower() in shown]


@pytest.mark.parametrize("renderer", [RENDERER, SPANISH])
def test_the_privacy_office_gets_ids_and_nothing_else(renderer: MailRenderer) -> None:
    changed = replace(delivery(Template.EMERGENCY_REVIEW, "access-17"), service_request_id=None)
    content = renderer.render_text(changed, discreet=True)
    assert content.subject.endswith(str(changed.case_id))
    assert "access-17" in content.text
    assert not {word for word in ("heat", "housing", "vivienda") if word in (content.subject + content.text).lower()}


def test_an_agency_that_is_not_listed_is_not_named() -> None:
    changed = replace(delivery(Template.REFERRAL_ACCEPTED, None), agency="stranger")
    assert "A city agency will help" in RENDERER.render_text(changed, discreet=False).text


def test_the_headers_say_who_writes_and_that_no_person_does() -> None:
    mail = rendered(delivery(Template.CASE_RECEIVED, None), Addressed("ann@example.org", discreet=False))
    assert mail["From"] == "Sample City <311@sample-city.example.org>"
    assert mail["To"] == "ann@example.org"
    assert mail["Message-ID"] == f"<{UUID(int=1)}@sample-city.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Handoff-Case"] == str(UUID(int=2))
    assert mail["Content-Language"] == "en"


def test_both_parts_of_a_mail_say_the_same() -> None:
    mail = rendered(delivery(Template.CASE_RECEIVED, None, "es"), Addressed("ann@example.org", discreet=False))
    assert mail.get_content_type() == "multipart/alternative"
    html = re.sub(r"<[^>]+>", "", part(mail, "html").split("<body", 1)[1].split(">", 1)[1])
    assert html.split() == part(mail, "plain").split()


def test_what_comes_from_elsewhere_cannot_become_markup() -> None:
    changed = replace(delivery(Template.CASE_RECEIVED, None), service_request_id="<b>1</b>")
    assert "<b>" not in RENDERER.render_text(changed, discreet=False).html


def test_a_language_of_which_mails_are_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "case-received.txt.jinja").write_text("Hello")
    with pytest.raises(IncompleteLanguageError, match=r"en/case-resolved\.txt\.jinja"):
        MailRenderer(CITY, tmp_path, None, "https://311.example.org")


def test_a_service_that_is_not_listed_is_protected_like_the_strictest() -> None:
    protections_of = CITY.protection.protections_of
    assert protections_of("heat-hot-water", ()) == ()
    assert protections_of("alcohol-or-drug-help", ()) == (FieldGroup.SUBSTANCE_USE,)
    assert protections_of("never-heard-of", ()) == protections_of(None, ()) == (FieldGroup.VICTIM_SERVICES,)


@pytest.mark.parametrize("mail", EVERY_MAIL)
def test_english_mails_can_be_read_after_six_years_of_school(mail: tuple[Template, str | None]) -> None:
    text = RENDERER.render_text(delivery(*mail), discreet=True).text
    assert grade(text.replace("https://311.example.org", "here").replace("SR-2026-17", "1")) <= 6


@pytest.mark.parametrize(("language", "mail"), EVERYWHERE)
def test_sentences_are_short(language: str, mail: tuple[Template, str | None]) -> None:
    text = RENDERER.render_text(delivery(*mail, language=language), discreet=False).text
    assert max(len(sentence.split()) for sentence in re.split(r"[.!?:]\s|\n", text)) <= 22


def grade(text: str) -> float:
    """Return the school grade of a text (Flesch and Kincaid, 1975); each group of vowels counts as a syllable."""
    content = re.findall(r"[A-Za-z]+", text)
    sentences = len(re.findall(r"[.!?:](?:\s|$)", text))
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in content)
    return 0.39 * len(content) / sentences + 11.8 * syllables / len(content) - 15.59
