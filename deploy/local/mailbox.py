"""A mailbox for one machine: takes every mail by SMTP, keeps it, and shows it on a page; nothing leaves the machine."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deploy.local.mail_store import Mail, MailStore, words_of

LARGEST_MAIL = 2_000_000
SHOWN = 200
MOST = 10_000
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}

logger = logging.getLogger(__name__)


class MailboxSettings(BaseSettings):
    """Where the mailbox listens and keeps its mails; port 0 takes a free one."""

    model_config = SettingsConfigDict(env_prefix="HANDOFF_", extra="ignore")

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 1025
    http_host: str = "127.0.0.1"
    http_port: int = 8025
    data_dir: Path = Path(".handoff")


class Taker:
    """Takes a mail only once it is written down."""

    def __init__(self, store: MailStore) -> None:
        """Remember where mails are kept."""
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the mail, and say so."""
        del server, session
        content = envelope.original_content or b""
        try:
            mail = self._store.keep(content)
        except OSError:
            logger.exception("a mail could not be written")
            return "452 Requested action not taken: insufficient system storage"
        return f"250 OK, kept as {mail.id}"


def create_app(store: MailStore, smtp_host: str, smtp_port: int) -> Starlette:
    """Put the pages and the SMTP server together; the server runs as long as the application does."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
    )
    app = Starlette(
        routes=[
            Route("/", list_mails),
            Route("/messages.json", list_as_json),
            Route("/messages/{name}", show_mail),
            Route("/health/live", healthy),
            Route("/health/ready", healthy),
        ],
        lifespan=partial(_receive, smtp_host, smtp_port),
    )
    app.state.store, app.state.pages = store, pages
    return app


@asynccontextmanager
async def _receive(smtp_host: str, smtp_port: int, app: Starlette) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    protocol = partial(SMTP, Taker(app.state.store), data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, loop=loop)
    server = await loop.create_server(protocol, smtp_host, smtp_port)
    app.state.smtp_port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


async def list_mails(request: Request) -> Response:
    """Show the latest mails."""
    store: MailStore = request.app.state.store
    page = request.app.state.pages.get_template("mailbox.html")
    return HTMLResponse(page.render(mails=store.newest(SHOWN), count=store.count()), headers=SAFE)


async def show_mail(request: Request) -> Response:
    """Show one mail, as text."""
    found = await asyncio.to_thread(request.app.state.store.find, request.path_params["name"])
    if found is None:
        return HTMLResponse("No such mail.", status_code=404, headers=SAFE)
    mail, message = found
    page = request.app.state.pages.get_template("mail.html")
    return HTMLResponse(page.render(mail=mail, words=words_of(message)), headers=SAFE)


async def list_as_json(request: Request) -> Response:
    """Say how many mails there are, and list the latest (`?limit=`, at most 10,000)."""
    store: MailStore = request.app.state.store
    asked = request.query_params.get("limit", str(SHOWN))
    limit = min(int(asked), MOST) if asked.isdecimal() else SHOWN
    messages = [_as_json(mail) for mail in store.newest(limit)]
    return JSONResponse({"count": store.count(), "distinct": store.count_distinct(), "messages": messages})


async def healthy(request: Request) -> Response:
    """Say that mails are taken, and on which port."""
    return JSONResponse({"status": "ok", "smtp_port": request.app.state.smtp_port})


def _as_json(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "received_at": mail.received_at.isoformat(),
        "from": mail.sender,
        "to": mail.to,
        "subject": mail.subject,
        "message_id": mail.message_id,
    }


def main() -> None:
    """Run until SIGTERM or Ctrl-C."""
    settings = MailboxSettings()
    store = MailStore(settings.data_dir / "mailbox")
    app = create_app(store, settings.smtp_host, settings.smtp_port)
    uvicorn.run(app, host=settings.http_host, port=settings.http_port, log_level="warning", timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main()
