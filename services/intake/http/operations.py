"""The parts that the operations of an OpenAPI document are made of."""

from collections.abc import Mapping
from typing import Any

Part = dict[str, Any]


def operation(  # noqa: PLR0913, PLR0917 - the parts of an operation
    identifier: str,
    summary: str,
    schema: Part,
    parameters: list[Part],
    refusals: tuple[int, ...] = (),
    success: int = 200,
) -> Part:
    """Describe one operation that answers in both forms."""
    kinds = ("application/json", "text/xml")
    responses = {str(success): answer(success, schema, kinds)}
    responses |= {str(code): answer(code, {"$ref": "#/components/schemas/Errors"}, kinds) for code in refusals}
    return {"operationId": identifier, "summary": summary, "parameters": parameters, "responses": responses}


MEANINGS: Mapping[int, str] = {
    200: "As asked for",
    201: "Kept",
    400: "Something is missing or not as it must be",
    403: "The API key is missing, unknown, or not good for this",
    404: "There is no such thing",
    409: "A request with this Idempotency-Key is being worked on, or the case is closed",
    410: "What was filed under this Idempotency-Key has been erased",
    413: "The body is too large",
    415: "The body is of another type",
    422: "This Idempotency-Key was used for another report",
    503: "Nothing can be kept at the moment; see Retry-After",
}


def answer(code: int, schema: Part, kinds: tuple[str, ...]) -> Part:
    """Describe one answer."""
    content: Part = {kind: {"schema": schema if kind == "application/json" else {}} for kind in kinds}
    answer: Part = {"description": MEANINGS[code], "content": content}
    headers = {503: {"Retry-After": "seconds to wait"}, 201: {"Idempotent-Replayed": "true when it was filed before"}}
    if code in headers:
        answer["headers"] = {
            name: {"description": words, "schema": {"type": "string"}} for name, words in headers[code].items()
        }
    return answer


def format_of_path() -> Part:
    """Describe the end of each path."""
    return in_path("format", "json or xml", "^(json|xml)$")


def jurisdiction() -> Part:
    """Describe the argument that names the city."""
    return in_query("jurisdiction_id", "need not be given, since there is one only", {"type": "string"})


def extensions() -> Part:
    """Describe the argument that asks for more than the standard has."""
    return in_query("extensions", "true adds notes and extended_attributes", {"type": "string"})


def in_path(name: str, words: str, pattern: str | None = None) -> Part:
    """Describe a part of a path."""
    schema: Part = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def in_query(name: str, words: str, schema: Part) -> Part:
    """Describe an argument of a query."""
    return {"name": name, "in": "query", "description": words, "schema": schema}
