"""A resource of the API: one path with its methods, whose answers and errors are in the format that the path names."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape  # nosec - writes only

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.intake.domain.report import check_jurisdiction
from services.intake.domain.validation import Fields, Refusal, refusal, text_of
from services.intake.http.api.bodies import read_form
from services.intake.store.write_batcher import UNAVAILABLE
from services.intake.use_cases.context import IntakeContext
from shared.kit.http.replies import JsonAnswer, to_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Answer = JsonAnswer | DataclassInstance
    """One JSON object of an answer."""

log = logging.getLogger(__name__)

RETRY_SECONDS = 2
UNKNOWN_PATH = refusal(HTTPStatus.NOT_FOUND, "unknown path: see /open311/discovery.json")
UNKNOWN_FORMAT = refusal(HTTPStatus.NOT_FOUND, "the path must end in .json or .xml")
DATABASE_UNAVAILABLE = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the database is unavailable: try again")
INTERNAL_ERROR = refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error: it is logged")

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


class Format(StrEnum):
    """The format of an answer, by the extension of the path."""

    JSON = "json"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """The content type that Open311 names."""
        return "application/json; charset=utf-8" if self is Format.JSON else "text/xml; charset=utf-8"


_FORMATS = {each.value: each for each in Format}

Handler = Callable[[IntakeContext, Format, Request], Awaitable[Response]]


class ApiError(JsonAnswer):
    """One reason why a request was refused."""

    code: int
    description: str


class Resource:
    """An ASGI application for one path: with an extension, `.{format}`, or with one format only."""

    def __init__(
        self, context: IntakeContext, methods: Mapping[str, Handler], only_format: Format | None = None
    ) -> None:
        self._context = context
        self._only_format = only_format
        self._methods = dict(methods)
        self._allowed = ", ".join(sorted(self._methods))
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        answer_format = self._only_format or _FORMATS.get(scope["path_params"].get("format"))
        if answer_format is None:
            return refuse(Format.JSON, UNKNOWN_FORMAT)
        handler = self._methods.get(scope["method"])
        if handler is None:
            response = refuse(
                answer_format, refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"method not allowed: use {self._allowed}")
            )
            response.headers["Allow"] = self._allowed
            return response
        try:
            return await handler(self._context, answer_format, Request(scope, receive))
        except UNAVAILABLE as error:
            return answer_unavailable(answer_format, error)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["route"].path)
            return refuse(answer_format, INTERNAL_ERROR)


def answer_unavailable(answer_format: Format, error: BaseException) -> Response:
    """Answer 503 with Retry-After: the database is unavailable, full, or too busy."""
    log.warning("answered 503: %s", type(error).__name__)
    response = refuse(answer_format, DATABASE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def query_of(context: IntakeContext, request: Request) -> Fields | Refusal:
    """Read the fields of the query; refuse a `jurisdiction_id` of another city."""
    fields = read_form(request.scope["query_string"])
    if isinstance(fields, Refusal):
        return fields
    problems = check_jurisdiction(text_of(fields, "jurisdiction_id"), context.jurisdiction)
    return Refusal(tuple(problems)) if problems else fields


class UnknownPath:
    """An ASGI application for the paths below /open311 that do not exist."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404, in XML if the path ends in .xml."""
        answer_format = Format.XML if scope["path"].endswith(".xml") else Format.JSON
        await refuse(answer_format, UNKNOWN_PATH)(scope, receive, send)


def render(answer_format: Format, root: str, value: object) -> bytes:
    """Write an answer; `root` is the outermost element of XML, which JSON leaves out."""
    if answer_format is Format.JSON:
        return to_json(value)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_element(root, value)}'.encode()


def answer(answer_format: Format, root: str, value: "Answer | Sequence[Answer]", status: int = 200) -> Response:
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
    elif is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return "".join(_element(part, inner) for part, inner in value.items())
    if isinstance(value, Sequence):
        return "".join(_element(SINGULAR.get(name, "item"), inner) for inner in value)
    return str(value)
