"""Routes of the API: every answer, and every error, is in the format that the path names."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.intake.domain.fields import Fields, text_of
from services.intake.domain.problems import Refusal, refusal
from services.intake.domain.report import check_jurisdiction
from services.intake.http.api.bodies import read_form
from services.intake.http.api.formats import Format, refuse
from services.intake.store.write_batcher import UNAVAILABLE
from services.intake.use_cases.context import IntakeContext

log = logging.getLogger(__name__)

Handler = Callable[[IntakeContext, Format, Request], Awaitable[Response]]

RETRY_SECONDS = 2
_FORMATS = {each.value: each for each in Format}
UNKNOWN_PATH = refusal(HTTPStatus.NOT_FOUND, "unknown path: see /open311/discovery.json")
UNKNOWN_FORMAT = refusal(HTTPStatus.NOT_FOUND, "the path must end in .json or .xml")
DATABASE_UNAVAILABLE = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the database is unavailable: try again")
INTERNAL_ERROR = refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal error: it is logged")


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
