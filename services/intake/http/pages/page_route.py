"""The route of one page: every error is answered with a page, too."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.intake.http.api.resource import RETRY_SECONDS
from services.intake.http.pages.renderer import message, texts_for
from services.intake.store.write_batcher import UNAVAILABLE
from services.intake.use_cases.context import IntakeContext

log = logging.getLogger(__name__)

PageHandler = Callable[[IntakeContext, Request], Awaitable[Response]]


class PageRoute:
    """An ASGI application for one page."""

    def __init__(self, context: IntakeContext, methods: Mapping[str, PageHandler]) -> None:
        self._context = context
        self._allowed = ", ".join(sorted(methods))
        self._methods = dict(methods)
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        handler = self._methods.get(request.method)
        if handler is None:
            response = message(
                self._context, texts_for(self._context, request), "no-page", HTTPStatus.METHOD_NOT_ALLOWED
            )
            response.headers["Allow"] = self._allowed
            return response
        try:
            return await handler(self._context, request)
        except UNAVAILABLE as error:
            log.warning("page answered with 503: %s", type(error).__name__)
            response = message(self._context, texts_for(self._context, request), "away", HTTPStatus.SERVICE_UNAVAILABLE)
            response.headers["Retry-After"] = str(RETRY_SECONDS)
            return response
        except Exception:
            log.exception("page failed: %s %s", request.method, request.scope["route"].path)
            return message(
                self._context, texts_for(self._context, request), "our-fault", HTTPStatus.INTERNAL_SERVER_ERROR
            )
