"""The resident's form: a page to choose a service, and the form of a service, which files a report."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from services.intake.domain.validation import Fields, Problem, Refusal, text_of
from services.intake.http.api.bodies import headers_of, read_body, read_form
from services.intake.http.pages.consent_form import chosen, consent_form
from services.intake.http.pages.page_route import PageRoute
from services.intake.http.pages.renderer import message, page, texts_for
from services.intake.http.translations import Texts
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.file_report import (
    IN_PROGRESS,
    KEY_ERASED,
    KEY_REUSED,
    FiledReport,
    SubmittedForm,
    file_report,
)
from shared.city.service_list import NeedKind
from shared.kit.observability.traces import CASE_ID, new_traceparent, span, traceparent_of

OWN_FIELDS: Final = frozenset({"lang", "once"})
"""Fields for the form itself, which are no part of the report."""

RETRIES: Final = 40
RETRY_SECONDS: Final = 0.1
"""How often, and after which pause, a second click asks whether the first has been filed."""


def report_form_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the routes of the form and of the static files."""
    return [
        Route("/", PageRoute(context, {"GET": show_services})),
        Route("/report", PageRoute(context, {"GET": show_form, "POST": submit_form})),
        Mount("/static", ExceptionMiddleware(StaticFiles(directory=Path(__file__).parent / "static"))),
    ]


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """A form as it is shown: its fields, the problems with them, and the key that makes sure it is filed once."""

    fields: Fields
    problems: tuple[Problem, ...] = ()
    once: str = ""


async def show_services(context: IntakeContext, request: Request) -> Response:
    """Show the services under their headings."""
    texts = texts_for(context, request)
    return page(context, texts, "services", {"groups": context.jurisdiction.catalogue.groups(), "here": "/?"})


async def show_form(context: IntakeContext, request: Request) -> Response:
    """Show the form of one service."""
    texts = texts_for(context, request)
    code = request.query_params.get("service_code", "")
    return _form(context, texts, ReportDraft({"service_code": [code]}))


async def submit_form(context: IntakeContext, request: Request) -> Response:
    """File the report, or show the form again with its problems."""
    body = await read_body(headers_of(request.scope), request.receive)
    fields = body if isinstance(body, Refusal) else read_form(body)
    if isinstance(fields, Refusal):
        return message(context, texts_for(context, request), "unreadable", fields.status)
    texts = texts_for(context, request, text_of(fields, "lang"))
    report_fields = chosen({name: values for name, values in fields.items() if name not in OWN_FIELDS})
    filed = await _file_once(context, report_fields, text_of(fields, "once") or uuid4().hex)
    if isinstance(filed, FiledReport):
        return RedirectResponse(f"/filed/{filed.token}?lang={texts.language}", HTTPStatus.SEE_OTHER)
    if filed in (KEY_REUSED, KEY_ERASED):
        return _form(context, texts, ReportDraft(fields, (Problem(HTTPStatus.CONFLICT, "", "", "twice"),)))
    return _form(context, texts, ReportDraft(fields, filed.problems, text_of(fields, "once") or ""))


async def _file_once(context: IntakeContext, fields: Fields, once: str) -> FiledReport | Refusal:
    """File the report; a second click on the button waits for the first, and gets the same report."""
    with span("POST /report", None) as active:
        submitted = SubmittedForm(fields, "web form", "web", once, traceparent_of(active) or new_traceparent())
        for _ in range(RETRIES):
            filed = await file_report(context, submitted)
            if filed is not IN_PROGRESS:
                break
            await asyncio.sleep(RETRY_SECONDS)
        if isinstance(filed, FiledReport) and filed.announced:
            active.set_attribute(CASE_ID, str(filed.case_id))
        return filed


def _form(context: IntakeContext, texts: Texts, draft: ReportDraft) -> Response:
    service = context.jurisdiction.catalogue.services.get(text_of(draft.fields, "service_code") or "")
    if service is None:
        return message(context, texts, "no-service", HTTPStatus.NOT_FOUND)
    values: Mapping[str, Any] = {
        "service": service,
        "extra_needs": [
            need for need in context.jurisdiction.catalogue.needs.values() if _is_offered(need, service.needs)
        ],
        "given": draft.fields,
        "consent": consent_form(context, texts, service.code, service.needs),
        "problems": {problem.field: problem.kind for problem in draft.problems},
        "once": draft.once or uuid4().hex,
        "here": f"/report?service_code={service.code}&",
    }
    return page(context, texts, "report", values, HTTPStatus.UNPROCESSABLE_ENTITY if draft.problems else HTTPStatus.OK)


def _is_offered(need: NeedKind, already: tuple[str, ...]) -> bool:
    """Tell whether the form asks for a need: residents add social needs to what the service is for."""
    return need.family == "social" and need.code not in already
