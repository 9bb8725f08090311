"""Pages for staff: rendered from templates, without scripts or anything from another site, and never cached."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse

from shared.events.wire import write_time


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


_TEMPLATES: Final = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
_TEMPLATES.filters |= {"minute": _minute, "rfc3339": write_time}

STREAMED_PART: Final = "<!-- streamed -->"
"""Where a streamed page continues with parts that come later."""

_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; img-src data:",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def render(name: str, status: int = 200, **content: Any) -> HTMLResponse:
    """Return the page of a template, which is named without `.html`."""
    return HTMLResponse(render_part(name, **content), status, headers=_HEADERS)


def render_part(name: str, **content: Any) -> str:
    """Return the text of a template, which is named without `.html`."""
    return _TEMPLATES.get_template(f"{name}.html").render(**content)


def stream(name: str, parts: AsyncIterator[str], **content: Any) -> StreamingResponse:
    """Return a page at once, and each part of its middle as soon as there is one."""

    async def text() -> AsyncIterator[str]:
        before, _, after = render_part(name, **content).partition(STREAMED_PART)
        yield before
        async for part in parts:
            yield part
        yield after

    return StreamingResponse(text(), media_type="text/html", headers=_HEADERS)


def is_form(request: Request) -> bool:
    """Tell whether a request sends a form of a page, rather than JSON."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
