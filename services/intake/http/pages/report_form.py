"""The resident's form: choose a service, answer its questions, file the report once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from services.intake.domain.fields import Fields, text_of
from services.intake.domain.problems import Problem, Refusal
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
from shared.kit.observability.traces import CASE_ID, new_traceparent, span, traceparent_of

OWN_FIELDS = frozenset({"lang", "once"})
"""Fields that are for the form itself and no part of the report."""

PATIENCE, PAUSE = 40, 0.1
"""How often, and after how many seconds, a second click looks whether the first has been filed."""


def page_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the paths of the form."""
    return [
        Route("/", PageRoute(context, {"GET": choose})),
        Route("/report", PageRoute(context, {"GET": ask, "POST": take})),
        Mount("/static", ExceptionMiddleware(StaticFiles(directory=Path(__file__).parent / "static"))),
    ]


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """A form as it is shown: what has been filled in, what is wrong with it, and the key under which it is filed."""

    fields: Fields
    problems: tuple[Problem, ...] = ()
    once: str = ""


async def choose(context: IntakeContext, request: Request) -> Response:
    """Show the services under their headings."""
    texts = texts_for(context, request)
    return page(context, texts, "choose", {"groups": context.jurisdiction.catalogue.groups(), "here": "/?"})


async def ask(context: IntakeContext, request: Request) -> Response:
    """Show the form of one service."""
    texts = texts_for(context, request)
    code = request.query_params.get("service_code", "")
    return _form(context, texts, ReportDraft({"service_code": [code]}))


async def take(context: IntakeContext, request: Request) -> Response:
    """File what was filled in; shown again where something is wrong with it."""
    body = await read_body(headers_of(request.scope), request.receive)
    fields = body if isinstance(body, Refusal) else read_form(body)
    if isinstance(fields, Refusal):
        return message(context, texts_for(context, request), "unreadable", fields.status)
    texts = texts_for(context, request, text_of(fields, "lang"))
    said = chosen({name: values for name, values in fields.items() if name not in OWN_FIELDS})
    filed = await _file_patiently(context, said, text_of(fields, "once") or uuid4().hex)
    if isinstance(filed, FiledReport):
        return RedirectResponse(f"/filed/{filed.token}?lang={texts.language}", HTTPStatus.SEE_OTHER)
    if filed in (KEY_REUSED, KEY_ERASED):
        return _form(context, texts, ReportDraft(fields, (Problem(HTTPStatus.CONFLICT, "", "", "twice"),)))
    return _form(context, texts, ReportDraft(fields, filed.problems, text_of(fields, "once") or ""))


async def _file_patiently(context: IntakeContext, fields: Fields, once: str) -> FiledReport | Refusal:
    """File; a second click waits for the first one, and is given the same report."""
    with span("POST /report", None) as active:
        submitted = SubmittedForm(fields, "web form", "web", once, traceparent_of(active) or new_traceparent())
        for _ in range(PATIENCE):
            filed = await file_report(context, submitted)
            if filed is not IN_PROGRESS:
                break
            await asyncio.sleep(PAUSE)
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
        "faults": {problem.field: problem.kind for problem in draft.problems},
        "once": draft.once or uuid4().hex,
        "here": f"/report?service_code={service.code}&",
    }
    return page(context, texts, "report", values, HTTPStatus.UNPROCESSABLE_ENTITY if draft.problems else HTTPStatus.OK)


def _is_offered(need: Any, already: tuple[str, ...]) -> bool:
    return need.family == "social" and need.code not in already
