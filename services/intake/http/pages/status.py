"""The status page: everything about one report, for the holder of its token."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.intake.domain.case import Note
from services.intake.domain.tokens import read_token
from services.intake.http.api.resource import Format, Resource
from services.intake.http.pages.consent_form import consent_form
from services.intake.http.pages.consents import consent_routes
from services.intake.http.pages.disclosures import get_disclosures, view_of
from services.intake.http.pages.page_route import PageRoute
from services.intake.http.pages.renderer import message, page, texts_for
from services.intake.http.translations import Texts
from services.intake.store.own_reports import OwnReport
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.own_report import find_report, read_details
from services.intake.use_cases.withdraw_report import withdraw_report
from shared.events.fields import FieldGroup
from shared.kit.observability.traces import CASE_ID, new_traceparent, span, traceparent_of


def status_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the routes of one report's pages."""
    return [
        Route("/filed/{token}", PageRoute(context, {"GET": show_filed})),
        Route("/status/{token}", PageRoute(context, {"GET": show_status})),
        Route("/status/{token}/withdraw", PageRoute(context, {"POST": submit_withdrawal})),
        Route("/status/{token}/disclosures.json", Resource(context, {"GET": get_disclosures}, Format.JSON)),
        *consent_routes(context),
        Route("/{rest:path}", PageRoute(context, {"GET": show_unknown_page})),
    ]


async def show_filed(context: IntakeContext, request: Request) -> Response:
    """Show that a report has been filed, and the address where the resident can follow it."""
    report = await find_report(context, request.path_params["token"])
    if report is None:
        return _unknown(context, request)
    token = request.path_params["token"]
    values = {"case": report.case, "report": report, "token": token, "address": f"{context.public_url}/status/{token}"}
    return page(context, texts_for(context, request), "filed", values | {"here": f"/filed/{token}?"})


async def show_status(context: IntakeContext, request: Request) -> Response:
    """Show the history, agencies, disclosures and consents of a report, and the resident's own words."""
    report = await find_report(context, request.path_params["token"])
    if report is None:
        return _unknown(context, request)
    details = await read_details(context, report)
    token, texts = request.path_params["token"], texts_for(context, request)
    case, now = report.case, context.clock()
    consent = consent_form(context, texts, case.service_code, tuple(case.needs))
    values = {
        "case": case,
        "report": report,
        "history": (Note(case.submitted_at, "opened"), *details.notes(now)),
        "agencies": [context.jurisdiction.agency_name(agency) for agency in details.agencies(report, now)],
        "own_words": list(own_words(report, details.opened, texts)),
        "is_erased": details.is_erased,
        "disclosures": view_of(context, texts, details.consents).shown(details.disclosures, now),
        "consents": details.consents,
        "consent": consent,
        "now": now,
        "token": token,
        "here": f"/status/{token}?",
    }
    return page(context, texts, "status", values)


async def submit_withdrawal(context: IntakeContext, request: Request) -> Response:
    """Withdraw the report; a closed case stays as it is."""
    claim = read_token(request.path_params["token"])
    if claim is None:
        return _unknown(context, request)
    with span("POST /status/withdraw", None) as active:
        if await withdraw_report(context, claim, traceparent_of(active) or new_traceparent()):
            active.set_attribute(CASE_ID, str(claim.case_id))
    language = texts_for(context, request).language
    return RedirectResponse(f"/status/{request.path_params['token']}?lang={language}", HTTPStatus.SEE_OTHER)


async def show_unknown_page(context: IntakeContext, request: Request) -> Response:
    """Answer a path that has no page."""
    return message(context, texts_for(context, request), "no-page", HTTPStatus.NOT_FOUND)


def own_words(report: OwnReport, opened: Mapping[FieldGroup, bytes], texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield what the resident wrote, each with its label: the parts of all field groups, then the answers."""
    parts: dict[str, Any] = {}
    answers: dict[str, list[str]] = {}
    for plain in opened.values():
        parts |= orjson.loads(plain)
        answers |= parts.pop("attributes", {}) | parts.pop("answers", {})
    for name in ("description", "address", "postal_code", "first_name", "last_name", "email", "phone", "media_url"):
        if parts.get(name):
            yield texts[f"label.{name}"], parts[name]
    service = texts.jurisdiction.catalogue.services.get(report.case.service_code)
    for question in service.questions if service else ():
        values = answers.get(question.code)
        names = {choice.key: texts.choice(choice.name) for choice in question.values}
        if values and service:
            label = texts.question(service.code, question.code, question.description)
            yield label, ", ".join(names.get(each, each) for each in values)


def _unknown(context: IntakeContext, request: Request) -> Response:
    return message(context, texts_for(context, request), "no-report", HTTPStatus.NOT_FOUND)
