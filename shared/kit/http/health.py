"""`/health/live`: the event loop runs. `/health/ready`: every check of the service passes."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

Check = Callable[[], Awaitable[str | None]]
"""Returns what is wrong, without personal data; None when nothing is."""

Figures = Callable[[], Awaitable[dict[str, float]]]
"""Returns figures for operators, by name; shown beside the health."""


async def list_problems(checks: Iterable[Check]) -> list[str]:
    """Run the checks and return every problem that they find."""
    return [problem for check in checks if (problem := await check())]


def health_routes(checks: Sequence[Check], figures: Figures) -> list[Route]:
    """Serve `/health/live`, and `/health/ready` with the problems (503) or the figures (200)."""

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> JSONResponse:
        problems = await list_problems(checks)
        if problems:
            return JSONResponse({"status": "not ready", "problems": problems}, 503)
        return JSONResponse({"status": "ready", "figures": await figures()})

    return [Route("/health/live", live), Route("/health/ready", ready)]
