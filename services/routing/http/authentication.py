"""Lets staff in: programs with a bearer key, browsers with a name and the same key as the password."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.routing.use_cases.agency_keys import AgencyKeys
from shared.kit.http.auth import keys_match, read_bearer_key
from shared.kit.http.replies import Endpoint, refuse, unavailable_as_503

ANONYMOUS_STAFF = "staff"
"""Who is noted when a key was shown without a name."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who showed the key, by the name that they gave."""

    name: str


StaffEndpoint = Callable[[Request, Staff], Awaitable[Response]]


def require_staff(endpoint: StaffEndpoint, key: str) -> Endpoint:
    """Let only those pass who show the key, and no form that another site has sent."""

    async def guarded(request: Request) -> Response:
        staff = _recognise(request, key)
        if staff is None:
            refused = refuse(401, "show the staff key: Authorization: Bearer <HANDOFF_STAFF_KEY>")
            refused.headers["www-authenticate"] = 'Basic realm="Handoff, staff only", charset="UTF-8"'
            return refused
        if request.method not in {"GET", "HEAD"} and not _is_own(request):
            return refuse(403, "this form was not sent from our own page")
        return await endpoint(request, staff)

    return unavailable_as_503(guarded)


def _recognise(request: Request, key: str) -> Staff | None:
    if keys_match(read_bearer_key(request), key):
        return Staff(ANONYMOUS_STAFF)
    name, password = _basic_of(request)
    return Staff(name or ANONYMOUS_STAFF) if keys_match(password, key) else None


def _basic_of(request: Request) -> tuple[str, str]:
    """Return the name and the password of HTTP Basic (RFC 7617); both empty without them."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(shown, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name.strip()[:100], password


def _is_own(request: Request) -> bool:
    """Tell whether a browser sends it from our own page; a browser shows a remembered password to every site's form."""
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


AgencyEndpoint = Callable[[Request, str], Awaitable[Response]]
"""Answers a request of the agency that is named."""


def require_agency(endpoint: AgencyEndpoint, partners: AgencyKeys) -> Endpoint:
    """Let only those pass who show the key of an agency, and say which agency that is."""

    async def guarded(request: Request) -> Response:
        agency = partners.recognise(read_bearer_key(request))
        if agency is None:
            refused = refuse(401, "show your agency's key: Authorization: Bearer <key>")
            refused.headers["www-authenticate"] = 'Bearer realm="Handoff partner API"'
            return refused
        return await endpoint(request, agency)

    return unavailable_as_503(guarded)
