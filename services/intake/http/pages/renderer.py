"""Renders pages from templates, with the headers that keep them private."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.intake.http.translations import LANGUAGES, Texts, texts_in
from services.intake.use_cases.context import IntakeContext

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}
"""The address of a page may contain a token, and a page a person's own words: nothing is cached or passed on."""


@cache
def environment() -> Environment:
    """Return the environment of the templates, which escapes every value."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    context: IntakeContext, texts: Texts, name: str, values: Mapping[str, Any], status: int = HTTPStatus.OK
) -> Response:
    """Render a page."""
    template = environment().get_template(f"{name}.html")
    known = {
        "t": texts,
        "city": context.jurisdiction.profile,
        "languages": LANGUAGES,
        "when": DateFormatter(context, texts),
    }
    return HTMLResponse(template.render(known | dict(values)), status, HEADERS)


def message(context: IntakeContext, texts: Texts, name: str, status: int) -> Response:
    """Render a page with one message, such as that the page is unknown."""
    return page(context, texts, "message", {"name": name, "here": ""}, status)


def texts_for(context: IntakeContext, request: Request, chosen: str | None = None) -> Texts:
    """Return the texts in the chosen language, else in the one that the browser prefers."""
    wanted = chosen or request.query_params.get("lang")
    return texts_in(wanted or _preferred(request.headers.get("accept-language", "")), context.jurisdiction)


def _preferred(header: str) -> str:
    """Return the first language of an Accept-Language header that has texts, else English."""
    asked = (part.split(";")[0].strip().partition("-")[0].lower() for part in header.split(","))
    return next((language for language in asked if language in LANGUAGES), "en")


class DateFormatter:
    """Writes moments in the city's time zone and in the language of the page."""

    def __init__(self, context: IntakeContext, texts: Texts) -> None:
        self._zone = context.jurisdiction.profile.zone
        self._months = texts["months"].split()
        self._form, self._day = texts["moment"], texts["day"]

    def __call__(self, moment: datetime) -> str:
        """Write a moment."""
        return self._written(moment, self._form)

    def day(self, moment: datetime) -> str:
        """Write the day of a moment."""
        return self._written(moment, self._day)

    def last_day(self, moment: datetime) -> str:
        """Write the last day of a consent that ends at a moment."""
        return self.day(moment - timedelta(microseconds=1))

    def _written(self, moment: datetime, form: str) -> str:
        local = moment.astimezone(self._zone)
        return form.format(
            day=local.day,
            month=self._months[local.month - 1],
            year=local.year,
            clock=f"{local.hour:02d}:{local.minute:02d}",
        )
