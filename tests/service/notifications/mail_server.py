"""A mail server that accepts, rejects, stalls or drops, as a test tells it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.ports import any_free

TAKE = "250 OK"
DROP = "drop the connection"
STALL = "never answer"


class MailServerForTests:
    """Answers RCPT and DATA from lists, then accepts everything; keeps the mails that it accepted, in order."""

    def __init__(self) -> None:
        self.port = any_free(1)[0]
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.answers_to_recipient: list[str] = []
        self.answers_to_data: list[str] = []
        self.holding = threading.Event()
        self.go_on = threading.Event()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Start to answer."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, server_hostname="mail.example.org")
        self._controller.start()

    def stop(self) -> None:
        """Stop; connections are refused."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers_to_recipient.pop(0) if self.answers_to_recipient else TAKE
        if answer == DROP:
            _hang_up(server)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        answer = self.answers_to_data.pop(0) if self.answers_to_data else TAKE
        if answer == STALL:
            await self._stall(server)
            answer = TAKE
        if answer in {TAKE, DROP}:
            content = envelope.original_content or b""
            self.mails.append(message_from_bytes(content, EmailMessage, policy=MAIL))
        if answer == DROP:
            _hang_up(server)
        return answer

    async def _stall(self, server: SMTP) -> None:
        self.holding.set()
        await server.loop.run_in_executor(None, self.go_on.wait, 30)


def _hang_up(server: SMTP) -> None:
    transport: Any = server.transport
    transport.abort()


@contextmanager
def running() -> Iterator[MailServerForTests]:
    """Run a mail server for the length of a block."""
    server = MailServerForTests()
    server.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.stop()
