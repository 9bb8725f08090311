"""Which path leads where."""

from starlette.routing import BaseRoute, Route

from services.intake.http.api import imports, open311
from services.intake.http.api.consents import delete_consent, get_consents, post_consent
from services.intake.http.api.formats import Format
from services.intake.http.api.persons import get_person, post_erase
from services.intake.http.api.requests import post_request
from services.intake.http.api.resource import NotHere, Resource
from services.intake.http.pages import report_form, status
from services.intake.use_cases.context import IntakeContext

API = "/open311/v2"
FILING = f"{API}/requests.{{format}}"


def http_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return all paths."""
    return [
        Route(FILING, Resource(context, {"POST": post_request, "GET": open311.get_requests})),
        Route(f"{API}/requests/{{service_request_id}}.{{format}}", Resource(context, {"GET": open311.get_one_request})),
        Route(f"{API}/services.{{format}}", Resource(context, {"GET": open311.get_services})),
        Route(f"{API}/services/{{service_code}}.{{format}}", Resource(context, {"GET": open311.get_service})),
        Route(f"{API}/tokens/{{token}}.{{format}}", Resource(context, {"GET": open311.get_token})),
        Route("/open311/discovery.{format}", Resource(context, {"GET": open311.get_discovery})),
        Route("/open311/{rest:path}", NotHere()),
        Route("/imports/{source}", Resource(context, {"POST": imports.post_records}, Format.JSON)),
        *_api_routes(context),
        *report_form.page_routes(context),
        *status.status_routes(context),
    ]


def _api_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the paths for caseworkers and staff, which speak JSON only."""
    served = {
        "/api/v1/cases/{case}/consents": {"POST": post_consent, "GET": get_consents},
        "/api/v1/cases/{case}/consents/{consent}": {"DELETE": delete_consent},
        "/api/v1/persons/{case}": {"GET": get_person},
        "/api/v1/persons/{case}/erase": {"POST": post_erase},
    }
    return [Route(path, Resource(context, methods, Format.JSON)) for path, methods in served.items()]
