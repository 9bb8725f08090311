"""JSON and XML as Open311 wants them: the same answer in both, picked by the extension of the path."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from xml.sax.saxutils import escape  # nosec - writes only

import orjson
from starlette.responses import Response

from services.intake.domain.problems import Problem, Refusal

Value = str | float | bool | None | Mapping[str, "Value"] | Sequence["Value"]

SINGULAR = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "notes": "note",
    "needs": "need",
}
"""What the items of a list are called in XML."""


class Format(StrEnum):
    """The form of an answer, by the extension that the caller wrote."""

    JSON = "json"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """The content type, as Open311 states it."""
        return "application/json; charset=utf-8" if self is Format.JSON else "text/xml; charset=utf-8"


def render(form: Format, root: str, value: Value) -> bytes:
    """Write an answer; `root` is the outermost element of XML, which JSON leaves out."""
    if form is Format.JSON:
        return orjson.dumps(value)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, value)}'.encode()


def answer(form: Format, root: str, value: Value, status: int = 200) -> Response:
    """Answer in the caller's form."""
    return Response(render(form, root, value), status, media_type=form.media_type)


def refuse(form: Format, refusal: Refusal) -> Response:
    """Say why not, in the caller's form."""
    return answer(form, "errors", [_said(problem) for problem in refusal.problems], refusal.status)


def _said(problem: Problem) -> dict[str, Value]:
    return {"code": int(problem.status), "description": problem.description}


def _element(name: str, value: Value) -> str:
    if value is None or value == "":
        return f"<{name}/>"
    return f"<{name}>{_content(name, value)}</{name}>"


def _content(name: str, value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return "".join(_element(part, inner) for part, inner in value.items())
    if isinstance(value, Sequence):
        return "".join(_element(SINGULAR.get(name, "item"), inner) for inner in value)
    return str(value)
