"""Authentication of staff (a bearer key, or HTTP Basic with the key as password) and of agencies (a bearer key)."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.routing.use_cases.agency_keys import PartnerKeys
from shared.kit.http.auth import keys_match, read_bearer_key
from shared.kit.http.replies import Endpoint, refuse, unavailable_as_503

ANONYMOUS_STAFF = "staff"
"""The name that is recorded for a request with the key but without a name."""


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff, by the name that they gave with the key."""

    name: str


StaffEndpoint = Callable[[Request, Staff], Awaitable[Response]]


def require_staff(endpoint: StaffEndpoint, key: str) -> Endpoint:
    """Answer 401 to requests without the staff key, and 403 to forms that another site has sent."""

    async def guarded(request: Request) -> Response:
        staff = _authenticate(request, key)
        if staff is None:
            refused = refuse(401, "show the staff key: Authorization: Bearer <HANDOFF_STAFF_KEY>")
            refused.headers["www-authenticate"] = 'Basic realm="Handoff, staff only", charset="UTF-8"'
            return refused
        if request.method not in {"GET", "HEAD"} and not _is_same_origin(request):
            return refuse(403, "this form was sent by another site")
        return await endpoint(request, staff)

    return unavailable_as_503(guarded)


def _authenticate(request: Request, key: str) -> Staff | None:
    if keys_match(read_bearer_key(request), key):
        return Staff(ANONYMOUS_STAFF)
    name, password = _basic_of(request)
    return Staff(name or ANONYMOUS_STAFF) if keys_match(password, key) else None


def _basic_of(request: Request) -> tuple[str, str]:
    """Return name and password of HTTP Basic (RFC 7617); both are empty without it."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(shown, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name.strip()[:100], password


def _is_same_origin(request: Request) -> bool:
    """Tell whether a page of this service sends the request.

    A browser adds a remembered Basic password to every request, also to that of a form on another site (CSRF); the
    Origin header then names that site.
    """
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


AgencyEndpoint = Callable[[Request, str], Awaitable[Response]]
"""Answers a request of the agency that is named."""


def require_agency(endpoint: AgencyEndpoint, partners: PartnerKeys) -> Endpoint:
    """Answer 401 to requests without the key of an agency, and give the endpoint the agency's id."""

    async def guarded(request: Request) -> Response:
        agency = partners.find_agency(read_bearer_key(request))
        if agency is None:
            refused = refuse(401, "show your agency's key: Authorization: Bearer <key>")
            refused.headers["www-authenticate"] = 'Bearer realm="Handoff partner API"'
            return refused
        return await endpoint(request, agency)

    return unavailable_as_503(guarded)
