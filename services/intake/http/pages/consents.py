"""The pages on which the holder of a token grants consents, and withdraws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.intake.domain.consents import RECIPIENTS, Permission, StoredConsent, read_permission
from services.intake.domain.validation import Fields, Problem, Refusal, check_fields, invalid, text_of
from services.intake.http.api.bodies import headers_of, read_body, read_form
from services.intake.http.pages.consent_form import chosen, consent_form
from services.intake.http.pages.page_route import PageRoute
from services.intake.http.pages.renderer import message, page, texts_for
from services.intake.http.translations import Texts
from services.intake.store.consents import ConsentGrant
from services.intake.store.own_reports import OwnReport
from services.intake.use_cases.consents import grant_consent, list_consents, withdraw_consent
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.own_report import find_report
from shared.events.fields import FieldGroup
from shared.kit.observability.traces import CASE_ID, new_traceparent, span, traceparent_of

OWN_FIELDS: Final = frozenset({"lang", "once", "sure"})
"""Fields for the pages themselves, which are no part of the consent."""


def consent_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the routes of the consent pages."""
    return [
        Route("/status/{token}/share", PageRoute(context, {"GET": show_form, "POST": submit_form})),
        Route(
            "/status/{token}/consents/{consent}",
            PageRoute(context, {"GET": show_withdrawal, "POST": submit_withdrawal}),
        ),
    ]


@dataclass(frozen=True, slots=True)
class ReportVisit:
    """A request by the holder of a token, about their own report."""

    context: IntakeContext
    texts: Texts
    token: str
    path: str
    report: OwnReport

    def page(self, name: str, values: Mapping[str, Any], status: int = HTTPStatus.OK) -> Response:
        """Render a page about the report."""
        own = {"token": self.token, "action": self.path, "report": self.report, "protections": self._protections()}
        return page(self.context, self.texts, name, own | dict(values), status)

    def _protections(self) -> tuple[FieldGroup, ...]:
        case = self.report.case
        return self.context.jurisdiction.protections_of(case.service_code, case.needs)

    def redirect(self) -> Response:
        """Redirect to the consents on the status page."""
        return RedirectResponse(f"/status/{self.token}?lang={self.texts.language}#consents", HTTPStatus.SEE_OTHER)


async def show_form(context: IntakeContext, request: Request) -> Response:
    """Show what the person can allow."""
    visit = await _visit(context, request, texts_for(context, request))
    return visit if isinstance(visit, Response) else _form(visit, {}, ())


async def submit_form(context: IntakeContext, request: Request) -> Response:
    """Ask the person to confirm their choice; grant the consent once they have."""
    body = await read_body(headers_of(request.scope), request.receive)
    fields = body if isinstance(body, Refusal) else read_form(body)
    if isinstance(fields, Refusal):
        return message(context, texts_for(context, request), "unreadable", fields.status)
    visit = await _visit(context, request, texts_for(context, request, text_of(fields, "lang")))
    if isinstance(visit, Response):
        return visit
    permission, problems = _read(visit, fields)
    if permission is None:
        return _form(visit, fields, problems)
    if text_of(fields, "sure") != "yes":
        hidden = [(name, value) for name, values in fields.items() if name != "sure" for value in values]
        return visit.page("confirm_consent", {"permission": permission, "hidden": hidden, "here": ""})
    await _grant(visit, permission, text_of(fields, "once") or "")
    return visit.redirect()


async def show_withdrawal(context: IntakeContext, request: Request) -> Response:
    """Show what a withdrawal of the consent means, and ask the person to confirm it."""
    texts = texts_for(context, request)
    visit, consent = await _find(context, request, texts)
    if isinstance(visit, Response):
        return visit
    if consent is None or consent.withdrawn_at is not None:
        return message(context, texts, "no-consent", HTTPStatus.NOT_FOUND)
    return visit.page("withdraw_consent", {"consent": consent, "here": f"{visit.path}?"})


async def submit_withdrawal(context: IntakeContext, request: Request) -> Response:
    """Withdraw the consent; one that was withdrawn before stays withdrawn."""
    texts = texts_for(context, request)
    visit, consent = await _find(context, request, texts)
    if isinstance(visit, Response):
        return visit
    if consent is None:
        return message(context, texts, "no-consent", HTTPStatus.NOT_FOUND)
    case_id = visit.report.case.case_id
    with span("POST /status/consents", None) as active:
        active.set_attribute(CASE_ID, str(case_id))
        await withdraw_consent(context, case_id, consent.consent_id, traceparent_of(active) or new_traceparent())
    return visit.redirect()


def _read(visit: ReportVisit, fields: Fields) -> tuple[Permission | None, Sequence[Problem]]:
    case, now, city = visit.report.case, visit.context.clock(), visit.context.jurisdiction
    consent_fields = chosen({name: values for name, values in fields.items() if name not in OWN_FIELDS})
    options = city.consent_options(case.service_code, tuple(case.needs), now)
    permission, problems = read_permission(consent_fields, options, now, city.profile.zone)
    problems = check_fields(consent_fields) + problems
    if permission is None and not problems:
        problems = [invalid(f"{RECIPIENTS} is required: who may be told", RECIPIENTS, "missing")]
    return None if problems else permission, problems


async def _grant(visit: ReportVisit, permission: Permission, once: str) -> None:
    case_id = visit.report.case.case_id
    grant = ConsentGrant(permission.id_for(case_id, once), permission, "form", "status page")
    with span("POST /status/share", None) as active:
        # The span names the case only once it is announced: a suppressed case leaves no sign in a trace.
        if await grant_consent(visit.context, case_id, grant, traceparent_of(active) or new_traceparent()):
            active.set_attribute(CASE_ID, str(case_id))


def _form(visit: ReportVisit, fields: Fields, problems: Sequence[Problem]) -> Response:
    case = visit.report.case
    if not visit.report.accepts_consents:
        return message(visit.context, visit.texts, "no-report", HTTPStatus.NOT_FOUND)
    values = {
        "consent": consent_form(visit.context, visit.texts, case.service_code, tuple(case.needs)),
        "given": fields,
        "problems": {problem.field: problem.kind for problem in problems},
        "once": text_of(fields, "once") or uuid4().hex,
        "here": f"{visit.path}?",
    }
    return visit.page("consent", values, HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK)


async def _visit(context: IntakeContext, request: Request, texts: Texts) -> ReportVisit | Response:
    report = await find_report(context, request.path_params["token"])
    if report is None:
        return message(context, texts, "no-report", HTTPStatus.NOT_FOUND)
    return ReportVisit(context, texts, request.path_params["token"], request.url.path, report)


async def _find(
    context: IntakeContext, request: Request, texts: Texts
) -> tuple[ReportVisit | Response, StoredConsent | None]:
    visit = await _visit(context, request, texts)
    if isinstance(visit, Response):
        return visit, None
    consents = await list_consents(context, visit.report.case.case_id)
    named = request.path_params["consent"]
    return visit, next((consent for consent_id, consent in consents.items() if str(consent_id) == named), None)
