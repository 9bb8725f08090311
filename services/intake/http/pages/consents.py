"""The pages on which the holder of a token allows agencies to be told, and takes that back."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.intake.domain.consents import RECIPIENTS, Permission, StoredConsent, read_permission
from services.intake.domain.fields import Fields, check_fields, text_of
from services.intake.domain.problems import Problem, Refusal, invalid
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

OWN_FIELDS = frozenset({"lang", "once", "sure"})


def sharing_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the paths of consents."""
    return [
        Route("/status/{token}/share", PageRoute(context, {"GET": ask, "POST": take})),
        Route("/status/{token}/consents/{consent}", PageRoute(context, {"GET": ask_back, "POST": take_back})),
    ]


@dataclass(frozen=True, slots=True)
class ReportVisit:
    """Who holds a token, at their own report."""

    context: IntakeContext
    texts: Texts
    token: str
    path: str
    report: OwnReport

    def page(self, name: str, values: Mapping[str, Any], status: int = HTTPStatus.OK) -> Response:
        """Show a page of the report."""
        own = {"token": self.token, "action": self.path, "report": self.report, "protections": self._protections()}
        return page(self.context, self.texts, name, own | dict(values), status)

    def _protections(self) -> tuple[FieldGroup, ...]:
        case = self.report.case
        return self.context.jurisdiction.protections_of(case.service_code, case.needs)

    def back(self) -> Response:
        """Go to the status page, to what has been allowed."""
        return RedirectResponse(f"/status/{self.token}?lang={self.texts.language}#consents", HTTPStatus.SEE_OTHER)


async def ask(context: IntakeContext, request: Request) -> Response:
    """Show what can be allowed."""
    visit = await _visit(context, request, texts_for(context, request))
    return visit if isinstance(visit, Response) else _form(visit, {}, ())


async def take(context: IntakeContext, request: Request) -> Response:
    """Show what follows from what was chosen; keep it once that has been agreed to."""
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
        kept = [(name, value) for name, values in fields.items() if name != "sure" for value in values]
        return visit.page("share_sure", {"permission": permission, "kept": kept, "here": ""})
    await _keep(visit, permission, text_of(fields, "once") or "")
    return visit.back()


async def ask_back(context: IntakeContext, request: Request) -> Response:
    """Show what follows when a consent is taken back."""
    texts = texts_for(context, request)
    visit, given = await _find(context, request, texts)
    if isinstance(visit, Response):
        return visit
    if given is None or given.withdrawn_at is not None:
        return message(context, texts, "no-consent", HTTPStatus.NOT_FOUND)
    return visit.page("unshare", {"consent": given, "here": f"{visit.path}?"})


async def take_back(context: IntakeContext, request: Request) -> Response:
    """Withdraw a consent; one that was withdrawn before stays so."""
    texts = texts_for(context, request)
    visit, given = await _find(context, request, texts)
    if isinstance(visit, Response):
        return visit
    if given is None:
        return message(context, texts, "no-consent", HTTPStatus.NOT_FOUND)
    case_id = visit.report.case.case_id
    with span("POST /status/consents", None) as active:
        active.set_attribute(CASE_ID, str(case_id))
        await withdraw_consent(context, case_id, given.consent_id, traceparent_of(active) or new_traceparent())
    return visit.back()


def _read(visit: ReportVisit, fields: Fields) -> tuple[Permission | None, list[Problem]]:
    case, now, city = visit.report.case, visit.context.clock(), visit.context.jurisdiction
    said = chosen({name: values for name, values in fields.items() if name not in OWN_FIELDS})
    offers = city.consent_options(case.service_code, tuple(case.needs), now)
    permission, problems = read_permission(said, offers, now, city.profile.zone)
    problems = check_fields(said) + problems
    if permission is None and not problems:
        problems = [invalid("nobody is named", RECIPIENTS, "missing")]
    return None if problems else permission, problems


async def _keep(visit: ReportVisit, permission: Permission, once: str) -> None:
    case_id = visit.report.case.case_id
    given = ConsentGrant(permission.id_for(case_id, once), permission, "form", "status page")
    with span("POST /status/share", None) as active:
        if await grant_consent(visit.context, case_id, given, traceparent_of(active) or new_traceparent()):
            active.set_attribute(CASE_ID, str(case_id))


def _form(visit: ReportVisit, given: Fields, problems: list[Problem] | tuple[Problem, ...]) -> Response:
    case = visit.report.case
    if not visit.report.accepts_consents:
        return message(visit.context, visit.texts, "no-report", HTTPStatus.NOT_FOUND)
    values = {
        "consent": consent_form(visit.context, visit.texts, case.service_code, tuple(case.needs)),
        "given": given,
        "faults": {problem.field: problem.kind for problem in problems},
        "once": text_of(given, "once") or uuid4().hex,
        "here": f"{visit.path}?",
    }
    return visit.page("share", values, HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK)


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
    return visit, next(
        (each for each in consents.values() if str(each.consent_id) == request.path_params["consent"]), None
    )
