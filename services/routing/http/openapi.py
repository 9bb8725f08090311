"""`python -m services.routing.http.openapi`: what the partner API takes and answers, as OpenAPI 3.1 in YAML."""

import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from services.routing.domain.partner_access import ReferralRead
from services.routing.http.api.partner import AT_ONCE, PREFIX
from services.routing.http.api.partner_bodies import EmergencyForm, OpenedAccess, ProvenReceipt, ReferralPage

Part = dict[str, Any]

ABOUT: Final = """
An agency reads by this API what it is not sent, proves what it was given, and opens more in an emergency.

Every read of a referral is a disclosure of its own: it is decided at that moment, and on record before it is answered.
A referral that there is not, one of another agency, and one that the agency may not know of any more are answered
alike.
"""


class Refusal(BaseModel):
    """Why not."""

    model_config = ConfigDict(title="Error")

    error: str


REFUSALS: Final[Mapping[int, str]] = {
    401: "no key, or nobody's",
    404: "there is no such thing, as far as the agency may know",
    409: "it cannot be done as things are",
    413: "the body is too large",
    422: "the question is not well put",
    503: "nothing can be read or put on record at the moment, and nothing was given: come again after Retry-After",
}
_ALWAYS: Final = (401, 503)

_MODELS: Final[list[tuple[type[BaseModel], Literal["validation", "serialization"]]]] = [
    (model, "serialization") for model in (ReferralRead, ReferralPage, ProvenReceipt, OpenedAccess, Refusal)
]


def document() -> Part:
    """Return the description of the API."""
    _, schemas = models_json_schema(
        [*_MODELS, (EmergencyForm, "validation")], ref_template="#/components/schemas/{model}"
    )
    one = f"{PREFIX}/referrals/{{referral_id}}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Handoff partner API",
            "version": version("handoff"),
            "description": ABOUT.strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"agencyKey": []}],
        "paths": {
            f"{PREFIX}/referrals": {"get": _list()},
            one: {"parameters": [_in_path("referral_id")], "get": _read()},
            f"{one}/emergency": {"parameters": [_in_path("referral_id")], "post": _open()},
            f"{PREFIX}/receipts/{{receipt_id}}": {"parameters": [_in_path("receipt_id")], "get": _prove()},
        },
        "components": {
            "securitySchemes": {"agencyKey": {"type": "http", "scheme": "bearer", "description": "an agency's key"}},
            "schemas": schemas["$defs"],
        },
    }


def _list() -> Part:
    state = {"name": "state", "in": "query", "schema": {"enum": ["open", "all"], "default": "open"}}
    after = {"name": "after", "in": "query", "schema": {"type": "string", "format": "uuid"}}
    what = f"The agency's referrals by their ids, {AT_ONCE} at once; nothing of what is in them"
    return _operation("listReferrals", what, ReferralPage, (422,)) | {"parameters": [state, after]}


def _read() -> Part:
    return _operation("readReferral", "All that the agency may have of a referral now", ReferralRead, (404,))


def _open() -> Part:
    what = "Open for a few hours what is withheld"
    content = {"application/json": {"schema": _ref(EmergencyForm)}}
    operation = _operation("openInEmergency", what, OpenedAccess, (404, 409, 413, 422), 201)
    return operation | {"requestBody": {"required": True, "content": content}}


def _prove() -> Part:
    return _operation("proveReceipt", "A receipt, and the proof that it is in the ledger", ProvenReceipt, (404, 409))


def _operation(name: str, summary: str, model: type[BaseModel], refusals: tuple[int, ...], status: int = 200) -> Part:
    refused = {str(code): _answer(REFUSALS[code], Refusal) for code in sorted((*_ALWAYS, *refusals))}
    return {"operationId": name, "summary": summary, "responses": {str(status): _answer("done", model)} | refused}


def _answer(description: str, model: type[BaseModel]) -> Part:
    return {"description": description, "content": {"application/json": {"schema": _ref(model)}}}


def _in_path(name: str) -> Part:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _ref(model: type[BaseModel]) -> Part:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def main() -> None:
    """Print the description."""
    sys.stdout.write(yaml.dump(document(), sort_keys=False, allow_unicode=True, width=120))


if __name__ == "__main__":
    main()
