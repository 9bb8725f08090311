"""Pages for staff: one look for all of them, nothing from elsewhere, nothing kept by browsers."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

_TEMPLATES: Final = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
_TEMPLATES.filters["minute"] = lambda text: f"{text[:16].replace('T', ' ')} UTC"

_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; img-src data:",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def fill(name: str, status: int = 200, **told: Any) -> HTMLResponse:
    """Fill in a page, by the name of its file without the ending."""
    return HTMLResponse(_TEMPLATES.get_template(f"{name}.html").render(**told), status, headers=_HEADERS)
