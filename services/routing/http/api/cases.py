"""What became of one case: its needs, the referrals of each, and the history of each of these."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, for_staff
from services.routing.store.cases import CaseFile, find_case_file
from services.routing.tables import ReferralChangeRow, ReferralRow
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.person_keys import PersonKeyring
from shared.events.intake import CaseSubmitted, Need
from shared.events.wire import write_time
from shared.kit.database.database import Database
from shared.kit.http.replies import refuse, reply


def case_routes(desk: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/cases/{case_id}`."""

    async def show(request: Request, _: Staff) -> Response:
        async with database.session() as session:
            found = await find_case_file(session, request.path_params["case_id"])
        if found is None:
            return refuse(404, "routing knows no such case")
        report = CaseSubmitted.model_validate_json(found.case.report)
        return reply(describe(found, report, await _people(desk, database, report)))

    return [Route("/cases/{case_id:uuid}", for_staff(show, key), methods=["GET"])]


def describe(found: CaseFile, report: CaseSubmitted, people: PersonKeyring) -> dict[str, Any]:
    """Return a case as JSON; an agency's own words are there as long as the person's key is."""
    case = found.case
    return {
        "case_id": str(case.case_id),
        "service_request_id": report.service_request_id,
        "service_code": report.service_code,
        "district": report.place.district,
        "submitted_at": write_time(report.submitted_at),
        "resolution": case.resolution,
        "resolved_at": write_time(case.resolved_at) if case.resolved_at else None,
        "needs": [_need(found, need, report, people) for need in report.needs],
    }


async def _people(desk: RoutingContext, database: Database, report: CaseSubmitted) -> PersonKeyring:
    if report.person_id is None:
        return PersonKeyring({})
    async with database.transaction() as tx:
        return PersonKeyring(await desk.vault.load(tx, [report.person_id]))


def _need(found: CaseFile, need: Need, report: CaseSubmitted, people: PersonKeyring) -> dict[str, Any]:
    return {
        "need_id": str(need.need_id),
        "need": need.need,
        "triage": [
            {
                "since": write_time(row.entered_at),
                "reason": row.reason,
                "why": row.why,
                "until": write_time(row.ended_at) if row.ended_at else None,
                "ended_by": row.ended_by,
                "assigned_to": row.assigned_to,
            }
            for row in found.triage
            if row.need_id == need.need_id
        ],
        "referrals": [
            _referral(row, [_change(each, report, people) for each in found.changes if _is_about(each, row)])
            for row in found.referrals
            if row.need_id == need.need_id
        ],
    }


def _is_about(change: ReferralChangeRow, referral: ReferralRow) -> bool:
    return change.referral_id == referral.referral_id


def _referral(row: ReferralRow, history: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "referral_id": str(row.referral_id),
        "agency": row.agency,
        "program": row.program,
        "attempt": row.attempt,
        "state": row.state,
        "reason": row.reason,
        "answer_by": write_time(row.answer_by) if row.answer_by else None,
        "record_only": row.record_only,
        "history": history,
    }


def _change(row: ReferralChangeRow, report: CaseSubmitted, people: PersonKeyring) -> dict[str, Any]:
    return {
        "change": row.change,
        "occurred_at": write_time(row.occurred_at),
        "recorded_at": write_time(row.recorded_at),
        "by": row.by,
        "cause": str(row.cause),
        "reason": row.reason,
        "why": row.why or None,
        "words": people.read(report, row.words) if row.words else None,
    }
