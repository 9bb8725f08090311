"""The two formats of Open311, JSON and XML: the extension of the path says in which one an answer is written."""

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
    """The format of an answer, by the extension of the path."""

    JSON = "json"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """The content type that Open311 names."""
        return "application/json; charset=utf-8" if self is Format.JSON else "text/xml; charset=utf-8"


def render(answer_format: Format, root: str, value: object) -> bytes:
    """Write an answer; `root` is the outermost element of XML, which JSON leaves out."""
    if answer_format is Format.JSON:
        return to_json(value)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, value)}'.encode()


def answer(answer_format: Format, root: str, value: JsonAnswer | Sequence[JsonAnswer], status: int = 200) -> Response:
    """Answer in the format of the request."""
    return Response(render(answer_format, root, value), status, media_type=answer_format.media_type)


def refuse(answer_format: Format, refused: Refusal) -> Response:
    """Answer with every reason of a refusal, in the format of the request."""
    errors = [ApiError(code=each.status, description=each.description) for each in refused.problems]
    return answer(answer_format, "errors", errors, refused.status)


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
