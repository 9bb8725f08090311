"""Pages for staff: one look for all of them, nothing from elsewhere, nothing kept by browsers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, StreamingResponse

_TEMPLATES: Final = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
_TEMPLATES.filters["minute"] = lambda text: f"{text[:16].replace('T', ' ')} UTC"

MIDDLE: Final = "<!-- middle -->"
"""Where in a page the parts go that come later."""

_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; img-src data:",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def fill_in_parts(name: str, parts: AsyncIterator[str], **told: Any) -> StreamingResponse:
    """Fill in a page whose middle comes bit by bit, as HTML, while somebody reads it already."""

    async def text() -> AsyncIterator[str]:
        before, _, after = _TEMPLATES.get_template(f"{name}.html").render(**told).partition(MIDDLE)
        yield before
        async for part in parts:
            yield part
        yield after

    return StreamingResponse(text(), media_type="text/html", headers=_HEADERS)


def snippet(name: str, **told: Any) -> str:
    """Fill in a part of a page."""
    return _TEMPLATES.get_template(f"{name}.html").render(**told)


def fill(name: str, status: int = 200, **told: Any) -> HTMLResponse:
    """Fill in a page, by the name of its file without the ending."""
    return HTMLResponse(_TEMPLATES.get_template(f"{name}.html").render(**told), status, headers=_HEADERS)
