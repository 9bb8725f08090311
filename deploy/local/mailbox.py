"""A mailbox for one machine: receives every mail by SMTP, stores it, and shows it on a page.

`python -m deploy.local.mailbox` runs it. No mail leaves the machine, and a restart loses none.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
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

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mail:
    """The header of one mail; `id` is the name of its file without the suffix."""

    id: str
    received_at: datetime
    sender: str
    to: str
    subject: str
    message_id: str


class MailStore:
    """The mails of one folder as .eml files, oldest first."""

    def __init__(self, folder: Path) -> None:
        """Create the folder if it is missing, and read the headers of the mails in it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._mails = {path.stem: _read_header(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.eml"))}

    def add(self, content: bytes) -> Mail:
        """Write a mail atomically. A power cut may lose the latest mails: the file is not flushed to the disk.

        Raises:
            OSError: the file cannot be written.
        """
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / f"{name}.eml")
        self._mails[name] = _read_header(name, content)
        return self._mails[name]

    def newest(self, limit: int) -> list[Mail]:
        """Return the headers of the latest mails, newest first."""
        mails = list(self._mails.values())
        return mails[::-1][:limit]

    def find(self, name: str) -> tuple[Mail, EmailMessage] | None:
        """Return a mail with its content; None if there is none with this id."""
        mail = self._mails.get(name)
        if mail is None:
            return None
        content = (self._folder / f"{name}.eml").read_bytes()
        return mail, BytesParser(EmailMessage, policy=policy.default).parsebytes(content)

    def count(self) -> int:
        """Count the mails."""
        return len(self._mails)

    def count_distinct(self) -> int:
        """Count the different values of Message-ID: a mail that was sent twice counts once."""
        return len({mail.message_id or mail.id for mail in self._mails.values()})


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a mail if it has one, else its HTML source."""
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):
        return "(the text cannot be decoded)"


def _read_header(name: str, content: bytes) -> Mail:
    header = BytesHeaderParser(policy=policy.compat32).parsebytes(content)
    nanoseconds = int(name.partition("-")[0])
    return Mail(
        id=name,
        received_at=datetime.fromtimestamp(nanoseconds / _NANOSECONDS, UTC),
        sender=str(header.get("from", "")),
        to=str(header.get("to", "")),
        subject=_decoded(str(header.get("subject", ""))),
        message_id=str(header.get("message-id", "")).strip(),
    )


def _decoded(text: str) -> str:
    return str(policy.default.header_factory("subject", text))


LARGEST_MAIL = 2_000_000
SHOWN = 200
MOST = 10_000
SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}

logger = logging.getLogger(__name__)


class MailboxSettings(BaseSettings):
    """Addresses to listen on, and the data folder; port 0 stands for a free one."""

    model_config = SettingsConfigDict(env_prefix="HANDOFF_", extra="ignore")

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 1025
    http_host: str = "127.0.0.1"
    http_port: int = 8025
    data_dir: Path = Path(".handoff")


class MailHandler:
    """aiosmtpd's handler: accepts a mail only after it is stored."""

    def __init__(self, store: MailStore) -> None:
        """Take the store that the mails are written to."""
        self._store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Store the mail, and answer 250; answer 452 if it cannot be written, so that the sender tries again."""
        del server, session
        content = envelope.original_content or b""
        try:
            mail = self._store.add(content)
        except OSError:
            logger.exception("mail cannot be written")
            return "452 Requested action not taken: insufficient system storage"
        return f"250 OK, stored as {mail.id}"


def create_app(store: MailStore, smtp_host: str, smtp_port: int) -> Starlette:
    """Create the application with the pages; the SMTP server runs during the application's lifespan."""
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
    )
    app = Starlette(
        routes=[
            Route("/", list_mails),
            Route("/messages.json", list_as_json),
            Route("/messages/{name}", show_mail),
            Route("/health/live", check_health),
            Route("/health/ready", check_health),
        ],
        lifespan=partial(_run_smtp, smtp_host, smtp_port),
    )
    app.state.store, app.state.pages = store, pages
    return app


@asynccontextmanager
async def _run_smtp(smtp_host: str, smtp_port: int, app: Starlette) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    protocol = partial(
        SMTP, MailHandler(app.state.store), data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, loop=loop
    )
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
    """Show one mail as text."""
    found = await asyncio.to_thread(request.app.state.store.find, request.path_params["name"])
    if found is None:
        return HTMLResponse("No such mail.", status_code=404, headers=SAFE)
    mail, message = found
    page = request.app.state.pages.get_template("mail.html")
    return HTMLResponse(page.render(mail=mail, words=text_of(message)), headers=SAFE)


async def list_as_json(request: Request) -> Response:
    """Return the number of mails, and list the latest (`?limit=`, at most 10,000)."""
    store: MailStore = request.app.state.store
    wanted = request.query_params.get("limit", str(SHOWN))
    limit = min(int(wanted), MOST) if wanted.isdecimal() else SHOWN
    messages = [_as_json(mail) for mail in store.newest(limit)]
    return JSONResponse({"count": store.count(), "distinct": store.count_distinct(), "messages": messages})


async def check_health(request: Request) -> Response:
    """Answer that the mailbox is ready, with the port of its SMTP server."""
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
