"""One resource in both forms: whatever goes wrong, the caller hears it in the form that was asked for."""

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
_FORMS = {form.value: form for form in Format}
NOT_HERE = refusal(HTTPStatus.NOT_FOUND, "there is nothing here: see /open311/discovery.json")
NO_SUCH_FORM = refusal(HTTPStatus.NOT_FOUND, "the path must end in .json or .xml")
DATABASE_AWAY = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "nothing can be kept at the moment: try again")
OUR_FAULT = refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "this is our fault, and has been noted")


class Resource:
    """An ASGI application for one path ending in `.{format}`, or for a path that answers in one form only."""

    def __init__(self, context: IntakeContext, methods: Mapping[str, Handler], form: Format | None = None) -> None:
        self._context = context
        self._form = form
        self._methods = dict(methods)
        self._allowed = ", ".join(sorted(self._methods))
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        form = self._form or _FORMS.get(scope["path_params"].get("format"))
        if form is None:
            return refuse(Format.JSON, NO_SUCH_FORM)
        handler = self._methods.get(scope["method"])
        if handler is None:
            response = refuse(form, refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"only {self._allowed} can be done here"))
            response.headers["Allow"] = self._allowed
            return response
        try:
            return await handler(self._context, form, Request(scope, receive))
        except UNAVAILABLE as error:
            return away(form, error)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["route"].path)
            return refuse(form, OUR_FAULT)


def away(form: Format, error: BaseException) -> Response:
    """Say that the database is away, full or busy, and when to come again."""
    log.warning("answered 503: %s", type(error).__name__)
    response = refuse(form, DATABASE_AWAY)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def query_of(context: IntakeContext, request: Request) -> Fields | Refusal:
    """Read the query, and refuse it for another jurisdiction."""
    fields = read_form(request.scope["query_string"])
    if isinstance(fields, Refusal):
        return fields
    problems = check_jurisdiction(text_of(fields, "jurisdiction_id"), context.jurisdiction)
    return Refusal(tuple(problems)) if problems else fields


class NotHere:
    """An ASGI application for every path of the API that does not exist."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say so, in XML where the path asks for it."""
        form = Format.XML if scope["path"].endswith(".xml") else Format.JSON
        await refuse(form, NOT_HERE)(scope, receive, send)
