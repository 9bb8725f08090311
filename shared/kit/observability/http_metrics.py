"""Times HTTP requests, around the router: only there is the template of the route known."""

from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit.observability.instruments import Instruments


class RequestTimer:
    """An ASGI application that measures how long another one takes to answer."""

    def __init__(self, app: ASGIApp, instruments: Instruments) -> None:
        self._app = app
        self._instruments = instruments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record its status, duration and error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, failed = perf_counter(), 500, None

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        except HTTPException as refusal:  # the middleware around this one answers with its status
            status = refusal.status_code
            raise
        except BaseException as error:
            failed = error
            raise
        finally:
            self._instruments.answered(scope, status, perf_counter() - began, failed)


def time_requests(router: Router, instruments: Instruments) -> None:
    """Time every request to a router, inside of all middleware."""
    router.middleware_stack = RequestTimer(router.middleware_stack, instruments)
