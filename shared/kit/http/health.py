"""Health that means it: alive = the loop moves; ready = database, broker and assignment are there."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, in words without personal data; None when nothing is."""

Figures = Callable[[], Awaitable[dict[str, float]]]
"""Gives figures that an operator wants beside the health, by name."""


async def problems_of(checks: Iterable[Check]) -> list[str]:
    """Return every reason why a service is not ready."""
    return [problem for check in checks if (problem := await check())]


def health_routes(checks: Sequence[Check], figures: Figures) -> list[Route]:
    """Serve `/health/live`, and `/health/ready` with every reason why not."""

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> JSONResponse:
        problems = await problems_of(checks)
        if problems:
            return JSONResponse({"status": "not ready", "problems": problems}, 503)
        return JSONResponse({"status": "ready", "figures": await figures()})

    return [Route("/health/live", live), Route("/health/ready", ready)]
