"""Lets agencies in, each by a key of its own."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from services.routing.partners import Partners
from shared.kit.replies import Endpoint, patient, refuse
from shared.kit.security import bearer_of

AgencyEndpoint = Callable[[Request, str], Awaitable[Response]]
"""Answers a request of the agency that is named."""


def for_agency(endpoint: AgencyEndpoint, partners: Partners) -> Endpoint:
    """Let only those pass who show the key of an agency, and say which agency that is."""

    async def guarded(request: Request) -> Response:
        agency = partners.recognise(bearer_of(request))
        if agency is None:
            refused = refuse(401, "show your agency's key: Authorization: Bearer <key>")
            refused.headers["www-authenticate"] = 'Bearer realm="Handoff partner API"'
            return refused
        return await endpoint(request, agency)

    return patient(guarded)
