"""Replies as JSON."""

from typing import Any

from starlette.responses import JSONResponse, Response


def reply(content: Any, status: int = 200) -> Response:
    """Return JSON that nobody keeps."""
    return JSONResponse(content, status, headers={"cache-control": "no-store"})


def refuse(status: int, why: str) -> Response:
    """Return an error, with its reason."""
    return reply({"error": why}, status)
