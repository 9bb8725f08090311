"""The two forms of Open311, JSON and XML: the extension of the path says in which one an answer is written."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from xml.sax.saxutils import escape  # nosec - writes only

from pydantic import BaseModel
from starlette.responses import Response

from services.intake.domain.problems import Refusal
from shared.kit.http.replies import JsonAnswer, to_json

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
"""The element of each item of a list in XML."""


class ApiError(JsonAnswer):
    """One reason why a request was refused."""

    code: int
    description: str


class Format(StrEnum):
    """The form of an answer, by the extension that the caller wrote."""

    JSON = "json"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """The content type, as Open311 states it."""
        return "application/json; charset=utf-8" if self is Format.JSON else "text/xml; charset=utf-8"


def render(form: Format, root: str, value: object) -> bytes:
    """Write an answer; `root` is the outermost element of XML, which JSON leaves out."""
    if form is Format.JSON:
        return to_json(value)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, value)}'.encode()


def answer(form: Format, root: str, value: JsonAnswer | Sequence[JsonAnswer], status: int = 200) -> Response:
    """Answer in the caller's form."""
    return Response(render(form, root, value), status, media_type=form.media_type)


def refuse(form: Format, refused: Refusal) -> Response:
    """Answer with every reason of a refusal, in the caller's form."""
    errors = [ApiError(code=each.status, description=each.description) for each in refused.problems]
    return answer(form, "errors", errors, refused.status)


def _element(name: str, value: object) -> str:
    if value is None or value == "":
        return f"<{name}/>"
    return f"<{name}>{_content(name, value)}</{name}>"


def _content(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
    if isinstance(value, Mapping):
        return "".join(_element(part, inner) for part, inner in value.items())
    if isinstance(value, Sequence):
        return "".join(_element(SINGULAR.get(name, "item"), inner) for inner in value)
    return str(value)
