"""Renders mails from the city's templates, in the resident's language, as plain text and as simple HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifications.domain.deliveries import Addressed, Delivery, choose_language
from services.notifications.domain.notifications import Recipient, Template
from shared.city.city import City

_SUFFIX = ".txt.jinja"


class IncompleteLanguageError(Exception):
    """A language has templates for some mails, and for others it has none."""


@dataclass(frozen=True, slots=True)
class RenderedText:
    """The text of one mail."""

    language: str
    subject: str
    text: str
    html: str


class MailRenderer:
    """Renders the mails of one city.

    Arguments:
        city: names itself, its services and its agencies in mails.
        templates: the folder with `<language>/<template>.txt.jinja` and `layout.html.jinja`.
        sender: the From line; by default the city's name and contact address.
        public_url: where residents look up a report.

    Raises:
        IncompleteLanguageError: the templates of a language are incomplete, or there are none in the city's own.
    """

    def __init__(self, city: City, templates: Path, sender: str | None, public_url: str) -> None:
        self._city = city
        self._profile = profile = city.profile
        self.sender = sender or f"{profile.name} <{profile.contact_email}>"
        self._url = public_url
        self._domain = parseaddr(self.sender)[1].rpartition("@")[2]
        loader = FileSystemLoader(templates)
        self._texts = Environment(loader=loader, undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text
        self._pages = Environment(loader=loader, undefined=StrictUndefined, autoescape=True)
        self.languages = _languages(self._texts.list_templates())
        if profile.default_language not in self.languages:
            raise IncompleteLanguageError(
                f"{templates} has no templates in the city's default language, {profile.default_language}"
            )

    def render(self, delivery: Delivery, to: Addressed, now: datetime) -> EmailMessage:
        """Render one mail. Its Message-ID is the delivery's id, so that a second copy can be recognized."""
        content = self.render_text(delivery, discreet=to.discreet)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self.sender
        mail["To"] = to.address
        mail["Reply-To"] = self._profile.contact_email
        mail["Subject"] = content.subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{delivery.id}@{self._domain}>"
        mail["References"] = f"<case.{delivery.case_id}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["X-Handoff-Case"] = str(delivery.case_id)
        mail["X-Handoff-Template"] = delivery.template.value
        mail.set_content(content.text, cte="quoted-printable")
        mail.add_alternative(content.html, subtype="html", cte="quoted-printable")
        mail["Content-Language"] = content.language
        return mail

    def render_text(self, delivery: Delivery, *, discreet: bool) -> RenderedText:
        """Render the text; the template's first paragraph is the subject.

        The city writes the names of services in its own language: a mail in another language leaves them out.
        """
        wanted = delivery.language if delivery.template.recipient is Recipient.REPORTER else None
        language = choose_language(wanted, self.languages, self._profile.default_language)
        service = self._city.services.get(delivery.service_code or "")
        named = service is not None and language == self._profile.default_language and not discreet
        agency = self._city.agencies.get(delivery.agency or "")
        rendered = self._texts.get_template(f"{language}/{delivery.template.value}{_SUFFIX}").render(
            number=delivery.service_request_id or delivery.case_id,
            case_id=delivery.case_id,
            service=service.name if service and named else None,
            agency=agency.name if agency and not discreet else None,
            detail=delivery.detail,
            city=self._profile.name,
            phone=self._profile.contact_phone,
            url=self._url,
        )
        subject, *paragraphs = [part.strip() for part in rendered.split("\n\n") if part.strip()]
        page = self._pages.get_template("layout.html.jinja")
        html = page.render(language=language, subject=subject, paragraphs=paragraphs)
        return RenderedText(language, subject, "\n\n".join(paragraphs) + "\n", html)


def _languages(files: Iterable[str]) -> frozenset[str]:
    """Return the languages that have templates.

    Raises:
        IncompleteLanguageError: a language lacks a template.
    """
    found = frozenset(files)
    languages = frozenset(file.split("/")[0] for file in found if file.endswith(_SUFFIX) and "/" in file)
    wanted = {f"{language}/{template.value}{_SUFFIX}" for language in languages for template in Template}
    if wanted - found:
        raise IncompleteLanguageError(f"templates are missing: {', '.join(sorted(wanted - found))}")
    return languages
