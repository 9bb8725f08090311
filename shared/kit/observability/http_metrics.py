"""Times each request, between the server and the router, once the route is known."""

from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit.observability.instruments import Instruments


class RequestTimer:
    """An ASGI application that tells how long another one took to answer."""

    def __init__(self, app: ASGIApp, instruments: Instruments) -> None:
        self._app = app
        self._instruments = instruments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note its status, time and error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, failed = perf_counter(), 500, None

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except HTTPException as refusal:  # whoever stands before the router makes an answer of it
            status = refusal.status_code
            raise
        except BaseException as error:
            failed = error
            raise
        finally:
            self._instruments.answered(scope, status, perf_counter() - began, failed)


def time_requests(router: Router, instruments: Instruments) -> None:
    """Time every request to a router, whatever stands before it."""
    router.middleware_stack = RequestTimer(router.middleware_stack, instruments)
