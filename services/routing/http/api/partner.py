"""The partner API: an agency reads its referrals, proves what it received, and opens more in an emergency."""

from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID, uuid4

from opentelemetry.trace import SpanKind
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.domain.partner_access import MAX_ACCESS, AccessRequest, NotOpened, ReadRequest
from services.routing.http.api.ledger import describe_proof
from services.routing.http.authentication import AgencyEndpoint, require_agency
from services.routing.store.ledger import DamagedLedgerError
from services.routing.store.partner_referrals import BEFORE_ALL, PageRequest
from services.routing.use_cases.agency_keys import PartnerKeys
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.emergency_access import StatedReason, open_in_emergency
from services.routing.use_cases.partner_reads import VisibleReferral, list_referrals, prove_receipt, read_referral
from shared.events.event import Instant
from shared.events.fields import FieldGroup
from shared.events.validation import first_error
from shared.kit.database.database import Database
from shared.kit.http.replies import refuse, reply
from shared.kit.observability.traces import span, traceparent_of
from shared.policy.plan import CONSENT_ONLY

PREFIX: Final = "/partner/v1"
PAGE_SIZE: Final = 100
UNKNOWN_REFERRAL: Final = "unknown referral"
LARGEST_BODY: Final = 16_384
MOST_MINUTES: Final = int(MAX_ACCESS.total_seconds()) // 60


def _may_be_opened(group: FieldGroup) -> FieldGroup:
    if group in CONSENT_ONLY:
        raise ValueError("requires the person's written consent: cannot be opened in an emergency")
    return group


class EmergencyForm(BaseModel):
    """What a caseworker opens, and why; without groups, all that is withheld and may be opened."""

    model_config = ConfigDict(extra="forbid")

    groups: list[Annotated[FieldGroup, AfterValidator(_may_be_opened)]] | None = Field(default=None, min_length=1)
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=2000)]
    caseworker: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
    minutes: int = Field(default=60, ge=1, le=MOST_MINUTES)

    @property
    def wanted(self) -> frozenset[FieldGroup]:
        """The field groups that are named; none stands for all that is withheld."""
        return frozenset(self.groups or ())

    @property
    def lasts(self) -> timedelta:
        """How long the access lasts."""
        return timedelta(minutes=self.minutes)


async def read_body(request: Request) -> bytes | None:
    """Read the body; None for one with more than `LARGEST_BODY` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


class ListedReferral(BaseModel):
    """A referral in a list, without its content."""

    referral_id: UUID
    case_id: UUID
    state: str
    answer_by: Instant | None


class ReferralPage(BaseModel):
    """A page of the list; `next` is the `after` of the next page, null on the last one."""

    referrals: list[ListedReferral]
    next: UUID | None


class OpenedAccess(BaseModel):
    """An emergency access: the field groups, and when it ends."""

    access_id: UUID
    groups: list[FieldGroup]
    ends_at: Instant


def partner_routes(context: RoutingContext, database: Database, partners: PartnerKeys) -> list[Route]:
    """Serve `/partner/v1`."""

    async def read(request: Request, agency: str) -> Response:
        with span("read referral", request.headers.get("traceparent"), SpanKind.SERVER) as active:
            asked = ReadRequest(agency, request.path_params["referral_id"], uuid4(), traceparent_of(active))
            text = await read_referral(context, database, asked)
        return _json(text) if text else refuse(404, UNKNOWN_REFERRAL)

    async def list_own(request: Request, agency: str) -> Response:
        return await _list(context, database, request, agency)

    async def show_receipt(request: Request, agency: str) -> Response:
        return await _prove(context, database, request, agency)

    async def open_withheld(request: Request, agency: str) -> Response:
        return await _open(context, database, request, agency)

    def route(path: str, endpoint: AgencyEndpoint, method: str = "GET") -> Route:
        return Route(f"{PREFIX}/{path}", require_agency(endpoint, partners), methods=[method])

    return [
        route("referrals", list_own),
        route("referrals/{referral_id:uuid}", read),
        route("referrals/{referral_id:uuid}/emergency", open_withheld, "POST"),
        route("receipts/{receipt_id:uuid}", show_receipt),
    ]


async def _list(context: RoutingContext, database: Database, request: Request, agency: str) -> Response:
    page = _read_page(request, agency)
    if isinstance(page, str):
        return refuse(422, page)
    found = await list_referrals(context, database, page)
    last = found[-1][1].referral_id if len(found) == page.limit else None
    return reply(ReferralPage(referrals=[*map(_listed, found)], next=last))


async def _prove(context: RoutingContext, database: Database, request: Request, agency: str) -> Response:
    try:
        found = await prove_receipt(context, database, agency, request.path_params["receipt_id"])
    except DamagedLedgerError:
        return refuse(409, "the ledger contradicts itself: report this to the city's operators")
    return reply(describe_proof(found)) if found else refuse(404, "unknown receipt")


async def _open(context: RoutingContext, database: Database, request: Request, agency: str) -> Response:
    body = await read_body(request)
    if body is None:
        return refuse(413, f"the body has more than {LARGEST_BODY} bytes")
    try:
        form = EmergencyForm.model_validate_json(body)
    except ValidationError as error:
        return refuse(422, first_error(error, "body"))
    with span("open emergency access", request.headers.get("traceparent"), SpanKind.SERVER) as active:
        referral_id = request.path_params["referral_id"]
        wanted = AccessRequest(agency, referral_id, uuid4(), form.wanted, form.lasts, traceparent_of(active))
        access = await open_in_emergency(context, database, wanted, StatedReason(form.caseworker, form.reason))
    if access is None:
        return refuse(404, UNKNOWN_REFERRAL)
    if isinstance(access, NotOpened):
        return refuse(409, access.why)
    opened = OpenedAccess(access_id=access.access_id, groups=sorted(access.groups), ends_at=access.ends_at)
    return reply(opened, 201)


def _read_page(request: Request, agency: str) -> PageRequest | str:
    """Read which page of the list is requested, or say what is wrong in the query."""
    state, after = request.query_params.get("state", "open"), request.query_params.get("after")
    if state not in {"open", "all"}:
        return "state: open or all"
    try:
        return PageRequest(agency, state == "open", UUID(after) if after else BEFORE_ALL, PAGE_SIZE)
    except ValueError:
        return "after: the id of a referral"


def _listed(listed: VisibleReferral) -> ListedReferral:
    case, referral = listed
    return ListedReferral(
        referral_id=referral.referral_id,
        case_id=case.report.case_id,
        state=referral.state.value,
        answer_by=referral.answer_by,
    )


def _json(text: bytes) -> Response:
    """Answer with exactly these bytes: the receipt contains their digest."""
    return Response(text, media_type="application/json", headers={"cache-control": "no-store"})
