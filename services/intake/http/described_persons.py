"""Consents, disclosures and persons in the OpenAPI document."""

from services.intake.domain.consents import LONGEST_WORDS, METHODS
from services.intake.http.described import MAYBE, MOMENT, TEXT, Part, many, shape
from services.intake.http.operations import answer, in_path
from shared.events.fields import FieldGroup

ERRORS: Part = {"$ref": "#/components/schemas/Errors"}
GROUP: Part = {"enum": [group.value for group in FieldGroup]}
CONSENT_ID: Part = {"type": "string", "format": "uuid"}

CONSENT = shape(
    {
        "consent_id": CONSENT_ID,
        "recipients": many(TEXT),
        "groups": many(GROUP),
        "purpose": TEXT,
        "how": {"enum": ["form", "api", "caseworker"]},
        "granted_at": MOMENT,
        "ends_at": MOMENT,
        "withdrawn_at": {"type": ["string", "null"], "format": "date-time"},
    }
)
PERMISSION = shape(
    {
        "recipients": many(TEXT) | {"minItems": 1, "description": "agencies"},
        "groups": many(GROUP) | {"minItems": 1},
        "ends_at": TEXT | {"description": "the last day, or a moment with its offset; at most a year ahead"},
    },
    {"purpose": TEXT | {"description": "need not be given where the agencies may be told for one only"}},
)
WRITTEN = shape(
    {
        "signed_by": TEXT | {"maxLength": LONGEST_WORDS},
        "signed_at": TEXT | {"description": "the day, or the moment"},
        "method": {"enum": list(METHODS)},
    }
)
RECALL = shape({"at": MOMENT, "groups": many(GROUP), "why": {"enum": ["consent-withdrawn", "consent-expired"]}})
DISCLOSURE = shape(
    {
        "receipt_id": MAYBE,
        "given_at": MOMENT,
        "agency": TEXT,
        "agency_name": TEXT,
        "channel": {"enum": ["event", "read", "emergency", "opened"]},
        "groups": many(GROUP),
        "purpose": MAYBE,
        "words": TEXT,
        "why": many(TEXT),
        "ends_at": {"type": ["string", "null"], "format": "date-time"},
        "recalled": many(RECALL),
    }
)
KEY_ERASED = shape(
    {
        "case_id": CONSENT_ID,
        "erased_at": MOMENT,
        "erased_before": {"type": "boolean"},
        "consents_ended": {"type": "integer"},
        "agencies_told": many(TEXT),
    }
)
HELD: Part = {"type": "object", "required": ["service", "case", "person"], "additionalProperties": True}


def consent_fields() -> dict[str, Part]:
    """Describe the fields of a report in which a consent comes with it."""
    return {
        "consent[recipients]": TEXT | {"description": "agencies that may be told, with commas"},
        "consent[groups]": TEXT | {"description": "field groups that they may be given, with commas"},
        "consent[purpose]": TEXT | {"description": "need not be given where there is one only"},
        "consent[ends_at]": TEXT | {"description": "the last day, or a moment; at most a year ahead"},
    }


def paths() -> dict[str, Part]:
    """Describe the paths for caseworkers, staff and the person."""
    case = in_path("case", "the id of a case, or its number")
    one = [case, in_path("consent", "the id of a consent")]
    token = in_path("token", "the token of a report's status page")
    return {
        "/api/v1/cases/{case}/consents": {"parameters": [case], "get": _consents(), "post": _grant()},
        "/api/v1/cases/{case}/consents/{consent}": {"parameters": one, "delete": _withdrawal()},
        "/api/v1/persons/{case}": {"parameters": [case], "get": _person()},
        "/api/v1/persons/{case}/erase": {"parameters": [case], "post": _erasure()},
        "/status/{token}/disclosures.json": {"parameters": [token], "get": _view()},
    }


def _grant() -> Part:
    key: Part = {"name": "Idempotency-Key", "in": "header", "schema": TEXT, "description": "to send it twice safely"}
    granted = _operation("grantConsent", "Keep a consent that was signed", CONSENT, (400, 403, 404, 409, 503), 201)
    return granted | {"parameters": [key], "requestBody": _body(shape({"consent": PERMISSION, "record": WRITTEN}))}


def _consents() -> Part:
    return _operation("listConsents", "The consents of a case", many(CONSENT), (403, 404, 503))


def _withdrawal() -> Part:
    return _operation("withdrawConsent", "Withdraw a consent; twice does nothing", CONSENT, (403, 404, 503))


def _person() -> Part:
    return _operation("getPerson", "Everything that intake holds about a person, opened", HELD, (403, 404, 503))


def _erasure() -> Part:
    erased = _operation("erasePerson", "Erase a person; twice does nothing", KEY_ERASED, (400, 403, 404, 503))
    return erased | {"requestBody": _body(shape({"confirm": TEXT | {"description": "the case once more"}}))}


def _view() -> Part:
    shown = shape({"disclosures": many(DISCLOSURE)})
    summary = "Who was given what of one's own report, when and why"
    return _operation("getDisclosures", summary, shown, (404, 503)) | {"security": []}


def _operation(identifier: str, summary: str, schema: Part, refusals: tuple[int, ...], success: int = 200) -> Part:
    kinds = ("application/json",)
    responses = {str(success): answer(success, schema, kinds)}
    responses |= {str(code): answer(code, ERRORS, kinds) for code in refusals}
    return {"operationId": identifier, "summary": summary, "security": [{"apiKey": []}], "responses": responses}


def _body(schema: Part) -> Part:
    return {"required": True, "content": {"application/json": {"schema": schema}}}
