"""The SMTP connection to the mail server, and the outcome that each of its answers means."""

import asyncio
import logging
from email.message import EmailMessage
from email.policy import SMTP as SMTP_ASCII
from email.policy import SMTPUTF8
from email.utils import parseaddr
from time import monotonic
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from services.notifications.domain.outcomes import Accepted, Deferred, Rejected, SendOutcome, Uncertain
from services.notifications.settings import SmtpAccount

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 5.0
"""A connection that was used so recently is taken to be open; an older one is tested first."""

CONNECT_INTERVAL_SECONDS: Final = 0.5
"""The least time from one connection to the next, for a server that drops each at once."""

IDLE_SECONDS: Final = 60.0
"""A connection without use is closed after this time."""

PERMANENT: Final = range(500, 600)
"""Reply codes of permanent errors, RFC 5321 §4.2.1."""


class UnreachableError(Exception):
    """The mail server cannot be reached, or refuses the login: no mail can be sent now."""


class SmtpConnection:
    """A connection that is opened when it is needed, kept, and opened again when it is lost. For one mail at a time."""

    def __init__(self, account: SmtpAccount, sender: str) -> None:
        self._account = account
        self._sender = parseaddr(sender)[1]
        self._smtp: SMTP | None = None
        self._used_at = 0.0
        self._connected_at = -CONNECT_INTERVAL_SECONDS

    def is_ready(self) -> bool:
        """Tell whether a mail can be sent immediately; if not, call `connect` first."""
        return self._smtp is not None and self._smtp.is_connected and monotonic() - self._used_at < FRESH_SECONDS

    async def connect(self) -> None:
        """Open the connection, unless it is open and answers.

        Raises:
            UnreachableError: the text names the kind of error.
        """
        if self._smtp is not None and self._smtp.is_connected and await self._answers(self._smtp):
            return
        await self.close()
        await asyncio.sleep(self._connected_at + CONNECT_INTERVAL_SECONDS - monotonic())
        self._connected_at = monotonic()
        account = self._account
        smtp = SMTP(
            hostname=account.host,
            port=account.port,
            username=account.user,
            password=account.password,
            start_tls=account.starttls,
            local_hostname=self._sender.rpartition("@")[2],
            timeout=account.timeout_seconds,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except (SMTPException, OSError) as error:
            smtp.close()
            raise UnreachableError(_name(error)) from None
        self._smtp = smtp
        self._used_at = monotonic()

    async def send(self, mail: EmailMessage, to: str) -> SendOutcome:
        """Hand over one mail.

        A rejected sender only defers the mail: the address is a setting, which an operator can correct. When the
        connection is lost during DATA the outcome is uncertain: the server may have accepted the mail.
        """
        smtp = self._smtp
        if smtp is None:
            return Deferred("not connected")
        try:
            await self._send_envelope(smtp, to)
        except SMTPRecipientRefused as error:
            return await self._rejected(smtp, error)
        except SMTPResponseException as error:
            await self._rejected(smtp, error)
            return Deferred(f"sender {error.code}")
        except UnicodeEncodeError:
            await self._reset(smtp)
            return Rejected("address not supported")
        except (SMTPException, OSError) as error:
            return Deferred(_name(error))
        return await self._transmit(smtp, mail)

    async def close(self) -> None:
        """Close the connection, with QUIT if the server answers within a second."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        if smtp.is_connected:
            try:
                await smtp.quit(timeout=1)
            except (SMTPException, OSError):
                log.debug("mail server did not answer QUIT")
        smtp.close()

    async def close_if_idle(self) -> None:
        """Close a connection that has not been used for a minute."""
        if self._smtp is not None and monotonic() - self._used_at > IDLE_SECONDS:
            await self.close()

    async def _answers(self, smtp: SMTP) -> bool:
        """Test the connection with NOOP: servers drop idle connections."""
        try:
            await smtp.noop(timeout=5)
        except (SMTPException, OSError):
            return False
        self._used_at = monotonic()
        return True

    async def _send_envelope(self, smtp: SMTP, to: str) -> None:
        """Send sender and recipient; an address beyond ASCII needs a server with SMTPUTF8 (RFC 6531).

        Raises:
            UnicodeEncodeError: the address is beyond ASCII, and the server does not support that.
        """
        utf8 = not to.isascii() and smtp.supports_extension("smtputf8")
        encoding = "utf-8" if utf8 else "ascii"
        await smtp.mail(self._sender, options=["SMTPUTF8"] if utf8 else [], encoding=encoding)
        await smtp.rcpt(to, encoding=encoding)

    async def _transmit(self, smtp: SMTP, mail: EmailMessage) -> SendOutcome:
        try:
            await smtp.data(_bytes(mail))
        except SMTPDataError as error:
            return await self._rejected(smtp, error)
        except (SMTPException, OSError) as error:
            return Uncertain(_name(error))
        self._used_at = monotonic()
        return Accepted()

    async def _rejected(self, smtp: SMTP, error: SMTPResponseException) -> SendOutcome:
        await self._reset(smtp)
        return (Rejected if error.code in PERMANENT else Deferred)(str(error.code))

    @staticmethod
    async def _reset(smtp: SMTP) -> None:
        """Reset the session for the next mail; close the connection if that fails."""
        try:
            await smtp.rset()
        except (SMTPException, OSError):
            smtp.close()


def _bytes(mail: EmailMessage) -> bytes:
    return mail.as_bytes(policy=SMTP_ASCII if str(mail["To"]).isascii() else SMTPUTF8)


def _name(error: BaseException) -> str:
    """Name an error by its kind: the text of a server's answer may quote an address."""
    return f"{type(error).__name__} {error.code}" if isinstance(error, SMTPResponseException) else type(error).__name__
