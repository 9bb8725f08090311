"""The status page: what has happened to one report, for whoever holds its token."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.intake.domain.case import Note
from services.intake.domain.consents import Given
from services.intake.domain.disclosures import Told, late_referrals
from services.intake.domain.tokens import Claimed, read_token
from services.intake.http.api.formats import Format
from services.intake.http.api.resource import Resource
from services.intake.http.pages.consent_form import consent_form
from services.intake.http.pages.consents import sharing_routes
from services.intake.http.pages.disclosures import get_disclosures, view_of
from services.intake.http.pages.page_route import Site
from services.intake.http.pages.renderer import message, page, texts_for
from services.intake.http.pages.report_access import find_report
from services.intake.http.translations import Texts
from services.intake.store import cases, own_reports
from services.intake.store.consents import list_consents
from services.intake.store.disclosures import list_told
from services.intake.store.own_reports import OwnReport
from services.intake.use_cases.context import Desk
from shared.events.fields import FieldGroup
from shared.events.intake import CaseWithdrawn
from shared.events.topics import CASES
from shared.events.wire import event_id
from shared.kit.messaging import outbox
from shared.kit.messaging.outbox import OutboxEvent
from shared.kit.observability.traces import CASE_ID, new_traceparent, span, traceparent_of


def status_routes(desk: Desk) -> list[BaseRoute]:
    """Return the paths of one report's pages."""
    return [
        Route("/filed/{token}", Site(desk, {"GET": show_filed})),
        Route("/status/{token}", Site(desk, {"GET": show_status})),
        Route("/status/{token}/withdraw", Site(desk, {"POST": withdraw})),
        Route("/status/{token}/disclosures.json", Resource(desk, {"GET": get_disclosures}, Format.JSON)),
        *sharing_routes(desk),
        Route("/{rest:path}", Site(desk, {"GET": nothing})),
    ]


async def show_filed(desk: Desk, request: Request) -> Response:
    """Say that a report has been filed, and where to follow it."""
    report = await find_report(desk, request)
    if report is None:
        return _unknown(desk, request)
    token = request.path_params["token"]
    values = {"case": report.case, "report": report, "token": token, "address": f"{desk.public_url}/status/{token}"}
    return page(desk, texts_for(desk, request), "filed", values | {"here": f"/filed/{token}?"})


async def show_status(desk: Desk, request: Request) -> Response:
    """Show what has happened, who has it, who was given what, and the reporter's own words."""
    report = await find_report(desk, request)
    if report is None:
        return _unknown(desk, request)
    kept = await _read(desk, report)
    token, texts = request.path_params["token"], texts_for(desk, request)
    case, now = report.case, desk.clock()
    consent = consent_form(desk, texts, case.service_code, tuple(case.needs))
    values = {
        "case": case,
        "report": report,
        "history": (Note(case.submitted_at, "opened"), *kept.notes(now)),
        "agencies": [desk.jurisdiction.agency_name(agency) for agency in kept.agencies(report, now)],
        "own_words": list(own_words(report, kept.opened, texts)),
        "is_erased": kept.is_erased,
        "given": view_of(desk, texts, kept.consents).shown(kept.told, now),
        "consents": kept.consents,
        "consent": consent,
        "now": now,
        "token": token,
        "here": f"/status/{token}?",
    }
    return page(desk, texts, "status", values)


async def withdraw(desk: Desk, request: Request) -> Response:
    """Withdraw the report; a case that is closed already stays as it is."""
    claimed = read_token(request.path_params["token"])
    if claimed is None:
        return _unknown(desk, request)
    with span("POST /status/withdraw", None) as active:
        if await _withdraw(desk, claimed, traceparent_of(active) or new_traceparent()):
            active.set_attribute(CASE_ID, str(claimed.case_id))
    language = texts_for(desk, request).language
    return RedirectResponse(f"/status/{request.path_params['token']}?lang={language}", HTTPStatus.SEE_OTHER)


async def nothing(desk: Desk, request: Request) -> Response:
    """Say that there is no such page."""
    return message(desk, texts_for(desk, request), "no-page", HTTPStatus.NOT_FOUND)


def own_words(report: OwnReport, opened: dict[FieldGroup, bytes], texts: Texts) -> Iterator[tuple[str, str]]:
    """Give what the reporter said, each with its label."""
    said: dict[str, Any] = {}
    given: dict[str, list[str]] = {}
    for plain in opened.values():
        said |= orjson.loads(plain)
        given |= said.pop("attributes", {}) | said.pop("answers", {})
    for name in ("description", "address", "postal_code", "first_name", "last_name", "email", "phone", "media_url"):
        if said.get(name):
            yield texts[f"label.{name}"], said[name]
    service = texts.jurisdiction.catalogue.services.get(report.case.service_code)
    for question in service.questions if service else ():
        answers = given.get(question.code)
        names = {choice.key: texts.choice(choice.name) for choice in question.values}
        if answers and service:
            label = texts.question(service.code, question.code, question.description)
            yield label, ", ".join(names.get(each, each) for each in answers)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a report besides the case itself."""

    all_notes: list[Note]
    told: Told
    consents: list[Given]
    opened: dict[FieldGroup, bytes]
    is_erased: bool

    def notes(self, at: datetime) -> list[Note]:
        """Return the history, without what its person may not know yet."""
        late = late_referrals(self.told.disclosures, at)
        return [note for note in self.all_notes if note.referral_id not in late]

    def agencies(self, report: OwnReport, at: datetime) -> list[str]:
        """Return the agencies that have the case, without those that its person may not know of yet."""
        late = late_referrals(self.told.disclosures, at)
        hidden = {entry.agency for entry in self.told.disclosures if entry.referral_id in late}
        known = {note.agency for note in self.notes(at)}
        return [agency for agency in report.case.agencies if agency in known or agency not in hidden]


async def _read(desk: Desk, report: OwnReport) -> Kept:
    case_id = report.case.case_id
    async with desk.database.statement() as connection:
        notes = (await cases.list_notes(connection, [case_id]))[case_id]
        told = await list_told(connection, case_id)
        given = await list_consents(connection, case_id)
        person = (await desk.vault.load(connection, [report.person_id])).get(report.person_id)
    opened = {group: desk.vault.open(person, group, block) for group, block in report.sealed.items()} if person else {}
    return Kept(notes, told, given, opened, person is None)


async def _withdraw(desk: Desk, claimed: Claimed, traceparent: str) -> bool:
    """Withdraw a report; nothing is said of one that nobody was told of."""
    event = CaseWithdrawn(case_id=claimed.case_id, withdrawn_at=desk.clock())
    said = event_id(claimed.case_id, CASES.topic, event)
    async with desk.database.transaction() as tx:
        known = await own_reports.withdraw(tx, claimed, said, event.withdrawn_at)
        if known:
            await outbox.enqueue(tx, [OutboxEvent(CASES.topic, event, claimed.case_id, traceparent)])
    return bool(known)


def _unknown(desk: Desk, request: Request) -> Response:
    return message(desk, texts_for(desk, request), "no-report", HTTPStatus.NOT_FOUND)
