"""The partner API as OpenAPI 3.1: `python -m services.routing.http.openapi` prints it."""

from functools import partial
from typing import Final

from services.routing.domain.partner_access import ReferralRead
from services.routing.http.api.ledger import ProvenReceipt
from services.routing.http.api.partner import PAGE_SIZE, PREFIX, EmergencyForm, OpenedAccess, ReferralPage
from shared.kit.http import openapi
from shared.kit.http.openapi import (
    Part,
    Responses,
    component_schemas,
    json_body,
    operation,
    path_parameter,
    print_document,
    query_parameter,
    reference,
)

ABOUT: Final = """
With this API an agency reads what its messages leave out, proves what it received, and opens more in an emergency.

Each read of a referral is a disclosure of its own: routing decides it at that moment, and writes its receipt before it
answers. Unknown referrals, those of other agencies, and those that the agency may no longer know of all return 404.
"""

_ERROR: Final[Part] = {
    "description": "Why a request was refused.",
    "properties": {"error": {"title": "Error", "type": "string"}},
    "required": ["error"],
    "title": "Error",
    "type": "object",
}
"""What `refuse` answers with. Written by hand, since it was published under a name that no class has: `Refusal`."""

_RESPONSES: Final = Responses(
    {
        200: "OK",
        201: "OK",
        401: "The key is missing or unknown",
        404: "Not found, or the agency may not know of it",
        409: "Not possible in the present state",
        413: "The body is too large",
        422: "The request is invalid",
        503: "The database is unavailable, and nothing was disclosed: try again after Retry-After",
    },
    {"$ref": "#/components/schemas/Refusal"},
    schema_of=reference,
)
_MODELS: Final = (ReferralRead, ReferralPage, ProvenReceipt, OpenedAccess, EmergencyForm)

_id_in_path = partial(path_parameter, format="uuid")
_ONE: Final = f"{PREFIX}/referrals/{{referral_id}}"

_PATHS: Final[Part] = {
    f"{PREFIX}/referrals": {
        "get": operation(
            "listReferrals",
            f"The agency's referrals by their ids, {PAGE_SIZE} at once; nothing of what is in them",
            responses=_RESPONSES.describe(200, ReferralPage, 401, 422, 503),
            parameters=[
                query_parameter("state", schema={"enum": ["open", "all"], "default": "open"}),
                query_parameter("after", schema={"type": "string", "format": "uuid"}),
            ],
        )
    },
    _ONE: {
        "parameters": [_id_in_path("referral_id")],
        "get": operation(
            "readReferral",
            "All that the agency may have of a referral now",
            responses=_RESPONSES.describe(200, ReferralRead, 401, 404, 503),
        ),
    },
    f"{_ONE}/emergency": {
        "parameters": [_id_in_path("referral_id")],
        "post": operation(
            "openInEmergency",
            "Open for a few hours what is withheld",
            responses=_RESPONSES.describe(201, OpenedAccess, 401, 404, 409, 413, 422, 503),
            requestBody=json_body(reference(EmergencyForm)),
        ),
    },
    f"{PREFIX}/receipts/{{receipt_id}}": {
        "parameters": [_id_in_path("receipt_id")],
        "get": operation(
            "proveReceipt",
            "A receipt, and the proof that it is in the ledger",
            responses=_RESPONSES.describe(200, ProvenReceipt, 401, 404, 409, 503),
        ),
    },
}


def document() -> Part:
    """Return the whole document."""
    components = {
        "securitySchemes": {"agencyKey": {"type": "http", "scheme": "bearer", "description": "the key of an agency"}},
        "schemas": dict(sorted((component_schemas(_MODELS) | {"Refusal": _ERROR}).items())),
    }
    return openapi.document("Handoff partner API", ABOUT, _PATHS, components, security=[{"agencyKey": []}])


if __name__ == "__main__":
    print_document(document())
