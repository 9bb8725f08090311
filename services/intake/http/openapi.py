"""Intake's API as OpenAPI 3.1: `python -m services.intake.http.openapi` prints it."""

from typing import Final

from services.intake.domain.search import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_RANGE, MAX_RESULTS
from services.intake.http.api.bodies import MAX_BODY_BYTES
from services.intake.http.api.body_schemas import ERASURE, GRANT, RECORDS, REPORT
from services.intake.http.api.consents import ConsentAnswer
from services.intake.http.api.imports import ImportOutcomes
from services.intake.http.api.open311_answers import (
    DiscoveryDocument,
    RequestToken,
    ServiceDefinition,
    ServiceListItem,
    ServiceRequest,
)
from services.intake.http.api.persons import ErasureAnswer
from services.intake.http.api.requests import CreatedRequest
from services.intake.http.api.resource import ApiError
from services.intake.http.pages.disclosures import DisclosuresAnswer
from services.intake.store.new_cases import KEY_LIFETIME
from shared.kit.http import openapi
from shared.kit.http.openapi import (
    Part,
    Responses,
    inline_schema,
    json_body,
    operation,
    path_parameter,
    print_document,
    query_parameter,
)

ABOUT: Final = f"""
Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2) in JSON and XML, and the import of other systems' records.

**What the public sees.** Reports can be read without a key, so they contain nothing personal: `description`,
`address`, `address_id`, `zipcode` and `media_url` are always empty, and `lat` and `long` are the centre of an H3 cell
of about 0.7 km². Reports on protected matters (such as violence at home) are not shown at all. The answer to a new
report contains a `token`: its status page shows the reporter their own words.

**Beyond the standard.** A report may name further needs (`need`, repeated or separated by commas) and the `language`
that the reporter prefers; it may be sent as JSON. The answer to a report contains both its `service_request_id` and
the `token` of its status page. Lists support `page`, `page_size`, `updated_after`, `updated_before` and
`extensions=true`, as Chicago's API does.

**Idempotency.** A report with an `Idempotency-Key` is filed once, however often it is sent. The same key with the same
fields returns the same answer again (`Idempotent-Replayed: true`); with other fields it returns 422, and while the
first request is in progress 409. Keys are remembered for {KEY_LIFETIME.total_seconds() / 3600:.0f} hours, and are
separate for each API key.

**Consent.** Some agencies receive a report, or parts of it, only if the person allows it: `consent[recipients]`,
`consent[groups]`, `consent[purpose]` and `consent[ends_at]` (in JSON the object `consent`). The agreements of the
jurisdiction determine what a person can allow. Without a consent, a report on violence against the person is stored
and no agency is notified; it has a random number, so that the numbers of other reports have no gap.
Caseworkers record and withdraw consents under `/api/v1`, with a key that has the scope `consent`. Erasing requires the
operators' key or the scope `erase`; the export of everything that is held about a person requires the operators' key.

**Errors** are a list of code and description, in the format of the path. 503 has `Retry-After`: all of the request was
stored, or none of it; sending it again with the same Idempotency-Key is safe.
"""

ERRORS: Final = inline_schema(list[ApiError])
_ERRORS: Final = {"$ref": "#/components/schemas/Errors"}

_MEANINGS: Final = {
    200: "OK",
    201: "Created",
    400: "A field is missing or invalid",
    403: "The API key is missing or unknown, or lacks the scope",
    404: "Not found",
    409: "A request with this Idempotency-Key is in progress, or the case is closed",
    410: "The report that was filed under this Idempotency-Key has been erased",
    413: "The body is too large",
    415: "The content type is not supported",
    422: "This Idempotency-Key was used for another report",
    503: "The database is unavailable; see Retry-After",
}
_HEADERS: Final = {
    201: {"Idempotent-Replayed": "true for a request that was answered before"},
    503: {"Retry-After": "seconds to wait"},
}
_OPEN311: Final = Responses(_MEANINGS, _ERRORS, _HEADERS, ("application/json", "text/xml"))
_JSON: Final = Responses(_MEANINGS, _ERRORS, _HEADERS)
_IMPORTS: Final = Responses(_MEANINGS, ERRORS, _HEADERS)

_API_KEY: Final[list[Part]] = [{"apiKey": []}]
_TEXT: Final[Part] = {"type": "string"}
_MOMENT: Final[Part] = {"type": "string", "format": "date-time"}
_COUNT: Final[Part] = {"type": "integer", "minimum": 1}

_FORMAT: Final = path_parameter("format", "json or xml", pattern="^(json|xml)$")
_CASE: Final = path_parameter("case", "the id or the number of a case")
_TOKEN: Final = path_parameter("token", "the token of a report's status page")
_JURISDICTION: Final = query_parameter("jurisdiction_id", "optional: the API serves one jurisdiction")
_EXTENSIONS: Final = query_parameter("extensions", "true adds notes and extended_attributes")
_RANGE: Final = f"by default 90 days from the other end, and at most {MAX_RANGE.days}"


def document() -> Part:
    """Return the whole document."""
    components = {
        "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "an API key"}},
        "schemas": {"Errors": ERRORS},
    }
    return openapi.document("Handoff intake", ABOUT, _OPEN311_PATHS | _API_PATHS, components)


def _idempotency_key(schema: Part, description: str) -> Part:
    return {"name": "Idempotency-Key", "in": "header", "schema": schema, "description": description}


_SUBJECT_EXPORT: Final = {"type": "object", "required": ["service", "case", "person"], "additionalProperties": True}


_OPEN311_PATHS: Final[Part] = {
    "/open311/discovery.{format}": {
        "parameters": [_FORMAT],
        "get": operation(
            "discovery", "Where the API is", parameters=[], responses=_OPEN311.describe(200, DiscoveryDocument, 404)
        ),
    },
    "/open311/v2/services.{format}": {
        "parameters": [_FORMAT],
        "get": operation(
            "listServices",
            "What can be asked for",
            parameters=[_JURISDICTION],
            responses=_OPEN311.describe(200, list[ServiceListItem], 400, 404),
        ),
    },
    "/open311/v2/services/{service_code}.{format}": {
        "parameters": [_FORMAT],
        "get": operation(
            "getService",
            "The questions of one service",
            parameters=[path_parameter("service_code", "a code from the list of services"), _JURISDICTION],
            responses=_OPEN311.describe(200, ServiceDefinition, 400, 404),
        ),
    },
    "/open311/v2/requests.{format}": {
        "parameters": [_FORMAT],
        "get": operation(
            "findRequests",
            "How reports get on, newest first",
            parameters=[
                _JURISDICTION,
                query_parameter("service_request_id", "numbers, separated by commas; other filters are then ignored"),
                query_parameter("service_code", "service codes, separated by commas"),
                query_parameter(
                    "status",
                    "open, closed, or both, separated by a comma",
                    _TEXT | {"pattern": "^(open|closed)(,(open|closed))*$"},
                ),
                query_parameter("start_date", f"filed at or after this; {_RANGE}", _MOMENT),
                query_parameter("end_date", f"filed at or before this; {_RANGE}", _MOMENT),
                query_parameter("updated_after", f"changed at or after this; {_RANGE}", _MOMENT),
                query_parameter("updated_before", f"changed at or before this; {_RANGE}", _MOMENT),
                query_parameter(
                    "page",
                    f"from 1; without page and page_size at most {MAX_RESULTS} are returned",
                    _COUNT | {"maximum": 200},
                ),
                query_parameter("page_size", f"default {DEFAULT_PAGE_SIZE}", _COUNT | {"maximum": MAX_PAGE_SIZE}),
                _EXTENSIONS,
            ],
            responses=_OPEN311.describe(200, list[ServiceRequest], 400, 404, 503),
        ),
        "post": operation(
            "fileRequest",
            "File a report",
            parameters=[
                _idempotency_key(
                    _TEXT | {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                    "a key of your own for this report",
                )
            ],
            responses=_OPEN311.describe(201, list[CreatedRequest], 400, 403, 404, 409, 410, 413, 415, 422, 503),
            security=[{"apiKey": []}, {}],
            requestBody={
                "required": True,
                "description": f"At most {MAX_BODY_BYTES} bytes. "
                "Further questions of a service are `attribute[CODE]` or `attribute[CODE][]`.",
                "content": {
                    "application/x-www-form-urlencoded": {"schema": REPORT},
                    "multipart/form-data": {"schema": REPORT},
                    "application/json": {"schema": REPORT},
                },
            },
        ),
    },
    "/open311/v2/requests/{service_request_id}.{format}": {
        "parameters": [_FORMAT],
        "get": operation(
            "getRequest",
            "How one report gets on",
            parameters=[path_parameter("service_request_id", "the number of a report"), _JURISDICTION, _EXTENSIONS],
            responses=_OPEN311.describe(200, list[ServiceRequest], 400, 404, 503),
        ),
    },
    "/open311/v2/tokens/{token}.{format}": {
        "parameters": [_FORMAT],
        "get": operation(
            "getToken",
            "The number of the report that a token opens",
            parameters=[_TOKEN, _JURISDICTION],
            responses=_OPEN311.describe(200, list[RequestToken], 400, 404, 503),
        ),
    },
}

_API_PATHS: Final[Part] = {
    "/imports/{source}": {
        "post": operation(
            "importRecords",
            "Take in records of another system, each once",
            description="Returns an outcome for each record: created, duplicate, or refused with a reason. "
            "If the database fails, none of them is stored.",
            parameters=[
                path_parameter("source", "the system that the records come from", pattern="^[a-z0-9]+(?:-[a-z0-9]+)*$")
            ],
            security=_API_KEY,
            requestBody=json_body(RECORDS),
            responses=_IMPORTS.describe(200, ImportOutcomes, 400, 403, 404, 413, 503),
        )
    },
    "/api/v1/cases/{case}/consents": {
        "parameters": [_CASE],
        "get": operation(
            "listConsents",
            "The consents of a case",
            security=_API_KEY,
            responses=_JSON.describe(200, list[ConsentAnswer], 403, 404, 503),
        ),
        "post": operation(
            "grantConsent",
            "Keep a consent that was signed",
            security=_API_KEY,
            responses=_JSON.describe(201, ConsentAnswer, 400, 403, 404, 409, 503),
            parameters=[_idempotency_key(_TEXT, "makes it safe to send the request again")],
            requestBody=json_body(GRANT),
        ),
    },
    "/api/v1/cases/{case}/consents/{consent}": {
        "parameters": [_CASE, path_parameter("consent", "the id of a consent")],
        "delete": operation(
            "withdrawConsent",
            "Withdraw a consent; twice does nothing",
            security=_API_KEY,
            responses=_JSON.describe(200, ConsentAnswer, 403, 404, 503),
        ),
    },
    "/api/v1/persons/{case}": {
        "parameters": [_CASE],
        "get": operation(
            "getPerson",
            "Everything that intake holds about a person, opened",
            security=_API_KEY,
            responses=_JSON.describe(200, _SUBJECT_EXPORT, 403, 404, 503),
        ),
    },
    "/api/v1/persons/{case}/erase": {
        "parameters": [_CASE],
        "post": operation(
            "erasePerson",
            "Erase a person; twice does nothing",
            security=_API_KEY,
            responses=_JSON.describe(200, ErasureAnswer, 400, 403, 404, 503),
            requestBody=json_body(ERASURE),
        ),
    },
    "/status/{token}/disclosures.json": {
        "parameters": [_TOKEN],
        "get": operation(
            "getDisclosures",
            "Who was given what of one's own report, when and why",
            security=[],
            responses=_JSON.describe(200, DisclosuresAnswer, 404, 503),
        ),
    },
}


if __name__ == "__main__":
    print_document(document())
