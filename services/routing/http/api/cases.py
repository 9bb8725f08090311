"""`/cases/{case_id}`: the needs of one case, the referrals of each, and the history of each referral."""

from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.store.case_files import CaseFile, StoredChange, StoredReferral, find_case_file
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.person_keys import PersonKeyring
from shared.events.intake import CaseSubmitted, Need
from shared.kit.database.database import Database
from shared.kit.http.replies import JsonAnswer, refuse, reply


class ChangeView(JsonAnswer):
    """One change of a referral; `words` are the agency's own, null once the person is erased."""

    change: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    cause: UUID
    reason: str | None
    why: str | None
    words: str | None


class ReferralView(JsonAnswer):
    """One referral with its history, the earliest change first."""

    referral_id: UUID
    agency: str
    program: str
    attempt: int
    state: str
    reason: str | None
    answer_by: datetime | None
    record_only: bool
    history: list[ChangeView]


class TriageView(JsonAnswer):
    """A need's time in the triage queue."""

    since: datetime
    reason: str
    why: str
    until: datetime | None
    ended_by: str | None
    assigned_to: str | None


class NeedView(JsonAnswer):
    """One need, its times in the triage queue, and its referrals in the order in which they were made."""

    need_id: UUID
    need: str
    triage: list[TriageView]
    referrals: list[ReferralView]


class CaseView(JsonAnswer):
    """One case; nothing of the person's own words."""

    case_id: UUID
    service_request_id: str
    service_code: str
    district: str | None
    submitted_at: datetime
    resolution: str | None
    resolved_at: datetime | None
    needs: list[NeedView]


def case_routes(context: RoutingContext, database: Database, key: str) -> list[Route]:
    """Serve `/cases/{case_id}`."""

    async def show(request: Request, _: Staff) -> Response:
        async with database.transaction(notify_commit=False) as tx:
            found = await find_case_file(tx, request.path_params["case_id"])
            if found is None:
                return refuse(404, "routing knows no such case")
            report = CaseSubmitted.model_validate_json(found.case.report)
            persons = [report.person_id] if report.person_id else []
            people = PersonKeyring(await context.vault.load(tx, persons) if persons else {})
        return reply(_case_view(found, report, people))

    return [Route("/cases/{case_id:uuid}", require_staff(show, key), methods=["GET"])]


def _case_view(found: CaseFile, report: CaseSubmitted, people: PersonKeyring) -> CaseView:
    return CaseView(
        case_id=found.case.case_id,
        service_request_id=report.service_request_id,
        service_code=report.service_code,
        district=report.place.district,
        submitted_at=report.submitted_at,
        resolution=found.case.resolution,
        resolved_at=found.case.resolved_at,
        needs=[_need_view(found, need, report, people) for need in report.needs],
    )


def _need_view(found: CaseFile, need: Need, report: CaseSubmitted, people: PersonKeyring) -> NeedView:
    changes: dict[UUID, list[ChangeView]] = {}
    for change in found.changes:
        changes.setdefault(change.referral_id, []).append(_change_view(change, report, people))
    return NeedView(
        need_id=need.need_id,
        need=need.need,
        triage=[TriageView.model_validate(each) for each in found.triage if each.need_id == need.need_id],
        referrals=[
            _referral_view(each, changes.get(each.referral_id, []))
            for each in found.referrals
            if each.need_id == need.need_id
        ],
    )


def _referral_view(referral: StoredReferral, history: list[ChangeView]) -> ReferralView:
    return ReferralView(
        referral_id=referral.referral_id,
        agency=referral.agency,
        program=referral.program,
        attempt=referral.attempt,
        state=referral.state,
        reason=referral.reason,
        answer_by=referral.answer_by,
        record_only=referral.record_only,
        history=history,
    )


def _change_view(change: StoredChange, report: CaseSubmitted, people: PersonKeyring) -> ChangeView:
    return ChangeView(
        change=change.change,
        occurred_at=change.occurred_at,
        recorded_at=change.recorded_at,
        by=change.by,
        cause=change.cause,
        reason=change.reason,
        why=change.why or None,
        words=people.read(report, change.words) if change.words else None,
    )
