"""`python -m services.intake.http.openapi`: what intake's API takes and answers, as OpenAPI 3.1 in YAML."""

import sys
from importlib.metadata import version

import yaml

from services.intake.domain.personal_data import MAX_LENGTHS
from services.intake.domain.search import DEFAULT_PAGE, LARGEST_PAGE, LONGEST_SPAN, MOST_RESULTS
from services.intake.http.api.bodies import LARGEST_BODY
from services.intake.http.described import (
    DISCOVERY,
    ERRORS,
    FILED,
    REQUESTS,
    RESULTS,
    SERVICE_DEFINITION,
    SERVICES,
    TOKENS,
    form_schema,
    import_schema,
)
from services.intake.http.described_persons import consent_fields, paths
from services.intake.http.operations import (
    Part,
    answer,
    extensions,
    format_of_path,
    in_path,
    in_query,
    jurisdiction,
    operation,
)
from services.intake.store.new_cases import KEY_LIFETIME

ABOUT = f"""
Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2) in JSON and XML, and the import of other systems' records.

**What everybody may see.** Reports can be read without a key, so nothing personal is in them: `description`, `address`,
`address_id`, `zipcode` and `media_url` are always empty, and `lat` and `long` are the centre of an H3 cell of about
0.7 km². Reports on protected matters (such as violence at home) are not shown at all. Whoever files a report is given a
`token`: its status page shows them their own words.

**Beyond the standard.** A report may carry further needs (`need`, several times or with commas) and the `language`
that its reporter prefers; it may be sent as JSON. The answer to a report holds both its `service_request_id` and the
`token` of its status page. Lists know `page`, `page_size`, `updated_after`, `updated_before` and `extensions=true`, as
Chicago's API does.

**Filing once.** With an `Idempotency-Key` a report is filed once, however often it is sent. The same key with the same
fields is answered the same again (`Idempotent-Replayed: true`), with other fields 422, and while the first is still
being worked on 409. Keys are remembered for {KEY_LIFETIME.total_seconds() / 3600:.0f} hours, and belong to the API key
that they were sent with.

**Consent.** Some agencies are told of a report, or of parts of it, only if the person allows it: `consent[recipients]`,
`consent[groups]`, `consent[purpose]` and `consent[ends_at]` (in JSON the object `consent`). What can be allowed follows
from the agreements of the jurisdiction. Without a consent a report on violence against the person is kept, and nobody
is told that there is one; its number is drawn from apart, so that the numbers of other reports have no gap.
Caseworkers keep and withdraw consents under `/api/v1`, with a key that has the scope `consent`. Erasing needs the
operators' key or the scope `erase`; everything that is held about a person is shown for the operators' key only.

**Errors** are a list of code and description, in the form that the path asks for. 503 comes with `Retry-After`:
nothing, or all of it, was kept; asking again with the same Idempotency-Key is safe.
"""


def document() -> Part:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Handoff intake",
            "version": version("handoff"),
            "description": ABOUT.strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/open311/discovery.{format}": {"parameters": [format_of_path()], "get": _discovery()},
            "/open311/v2/services.{format}": {"parameters": [format_of_path()], "get": _services()},
            "/open311/v2/services/{service_code}.{format}": {"parameters": [format_of_path()], "get": _service()},
            "/open311/v2/requests.{format}": {"parameters": [format_of_path()], "get": _search(), "post": _file()},
            "/open311/v2/requests/{service_request_id}.{format}": {"parameters": [format_of_path()], "get": _one()},
            "/open311/v2/tokens/{token}.{format}": {"parameters": [format_of_path()], "get": _token()},
            "/imports/{source}": {"post": _import()},
            **paths(),
        },
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "an API key"}},
            "schemas": {"Errors": ERRORS},
        },
    }


def _discovery() -> Part:
    return operation("discovery", "Where the API is", DISCOVERY, [], (404,))


def _services() -> Part:
    return operation("listServices", "What can be asked for", SERVICES, [jurisdiction()], (400, 404))


def _service() -> Part:
    parameters = [in_path("service_code", "a service, from the list"), jurisdiction()]
    return operation("getService", "The questions of one service", SERVICE_DEFINITION, parameters, (400, 404))


def _one() -> Part:
    parameters = [in_path("service_request_id", "the number of a report"), jurisdiction(), extensions()]
    return operation("getRequest", "How one report gets on", REQUESTS, parameters, (400, 404, 503))


def _token() -> Part:
    parameters = [in_path("token", "the token of a report's status page"), jurisdiction()]
    return operation("getToken", "The number of the report that a token opens", TOKENS, parameters, (400, 404, 503))


def _search() -> Part:
    span = f"90 days when left out, and at most {LONGEST_SPAN.days} together with the other end"
    moment = {"type": "string", "format": "date-time"}
    count = {"type": "integer", "minimum": 1}
    parameters = [
        jurisdiction(),
        in_query("service_request_id", "numbers, with commas; everything else is then left aside", {"type": "string"}),
        in_query("service_code", "services, with commas", {"type": "string"}),
        in_query(
            "status",
            "open, closed or both, with a comma",
            {"type": "string", "pattern": "^(open|closed)(,(open|closed))*$"},
        ),
        in_query("start_date", f"filed at or after this; {span}", moment),
        in_query("end_date", f"filed at or before this; {span}", moment),
        in_query("updated_after", f"changed at or after this; {span}", moment),
        in_query("updated_before", f"changed at or before this; {span}", moment),
        in_query(
            "page", f"from 1; without page and page_size up to {MOST_RESULTS} are answered", count | {"maximum": 200}
        ),
        in_query("page_size", f"{DEFAULT_PAGE} when left out", count | {"maximum": LARGEST_PAGE}),
        extensions(),
    ]
    return operation("findRequests", "How reports get on, newest first", REQUESTS, parameters, (400, 404, 503))


def _file() -> Part:
    key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    header = {"name": "Idempotency-Key", "in": "header", "schema": key, "description": "your own key for this report"}
    form = form_schema(MAX_LENGTHS, consent_fields())
    types = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
    description = (
        f"At most {LARGEST_BODY} bytes. Further questions of a service are `attribute[CODE]` or `attribute[CODE][]`."
    )
    filed = operation(
        "fileRequest", "File a report", FILED, [header], (400, 403, 404, 409, 410, 413, 415, 422, 503), 201
    )
    content = {kind: {"schema": form} for kind in types}
    return filed | {
        "security": [{"apiKey": []}, {}],
        "requestBody": {"required": True, "description": description, "content": content},
    }


def _import() -> Part:
    answers = {code: answer(code, ERRORS, ("application/json",)) for code in (400, 403, 404, 413, 503)}
    return {
        "operationId": "importRecords",
        "summary": "Take in records of another system, each once",
        "description": "One answer for each record: created, duplicate, or refused with its reason. All or none.",
        "parameters": [in_path("source", "the system they come from", "^[a-z0-9]+(?:-[a-z0-9]+)*$")],
        "security": [{"apiKey": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": import_schema()}}},
        "responses": {"200": answer(200, RESULTS, ("application/json",))} | {str(c): a for c, a in answers.items()},
    }


def main() -> None:
    """Print the description."""
    sys.stdout.write(yaml.dump(document(), sort_keys=False, allow_unicode=True, width=120))


if __name__ == "__main__":
    main()
