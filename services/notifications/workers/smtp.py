"""One kept connection to the mail server, and what its answers mean."""

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

from services.notifications.domain.outcomes import Outcome, Postponed, Refused, Taken, Unknown
from services.notifications.settings import Account

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 5.0
"""A connection that was used so recently is taken to be there; an older one is asked first."""

CALM_SECONDS: Final = 0.5
"""The least time between two connections: a server that drops each at once is not stormed."""

IDLE_SECONDS: Final = 60.0
"""How long a connection is kept without use."""

PERMANENT: Final = range(500, 600)


class UnreachableError(Exception):
    """The mail server cannot be reached, or does not let us in: nothing can be sent now."""


class MailServer:
    """A connection that is made when it is needed, kept, and made anew when it is lost. For one mail at a time."""

    def __init__(self, account: Account, sender: str) -> None:
        self._account = account
        self._sender = parseaddr(sender)[1]
        self._smtp: SMTP | None = None
        self._used_at = 0.0
        self._connected_at = -CALM_SECONDS

    @property
    def ready(self) -> bool:
        """Tell whether a mail can be sent at once; else `reach` comes first."""
        return self._smtp is not None and self._smtp.is_connected and monotonic() - self._used_at < FRESH_SECONDS

    async def reach(self) -> None:
        """Make sure that there is a connection.

        Raises:
            UnreachableError: there is none to be had; its text names the kind of fault.
        """
        if self._smtp is not None and self._smtp.is_connected and await self._answers(self._smtp):
            return
        await self.leave()
        await asyncio.sleep(self._connected_at + CALM_SECONDS - monotonic())
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

    async def send(self, mail: EmailMessage, to: str) -> Outcome:
        """Hand over one mail.

        The sender's address is our own setting: that it is refused postpones the mail. When the connection is lost
        during DATA the server may have the mail or not, so that sending it again could tell somebody twice.
        """
        smtp = self._smtp
        if smtp is None:
            return Postponed("not connected")
        try:
            await self._address(smtp, to)
        except SMTPRecipientRefused as error:
            return await self._rejected(smtp, error)
        except SMTPResponseException as error:
            await self._rejected(smtp, error)
            return Postponed(f"sender {error.code}")
        except UnicodeEncodeError:
            await self._reset(smtp)
            return Refused("address not supported")
        except (SMTPException, OSError) as error:
            return Postponed(_name(error))
        return await self._hand_over(smtp, mail)

    async def leave(self) -> None:
        """Close the connection; politely, if the server answers soon."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        if smtp.is_connected:
            try:
                await smtp.quit(timeout=1)
            except (SMTPException, OSError):
                log.debug("the mail server did not say goodbye")
        smtp.close()

    async def leave_if_idle(self) -> None:
        """Close a connection that has not been used for a while."""
        if self._smtp is not None and monotonic() - self._used_at > IDLE_SECONDS:
            await self.leave()

    async def _answers(self, smtp: SMTP) -> bool:
        """Ask for a sign of life: servers drop idle connections."""
        try:
            await smtp.noop(timeout=5)
        except (SMTPException, OSError):
            return False
        self._used_at = monotonic()
        return True

    async def _address(self, smtp: SMTP, to: str) -> None:
        """Say from whom and to whom; addresses beyond ASCII need a server that can (RFC 6531)."""
        utf8 = not to.isascii() and smtp.supports_extension("smtputf8")
        encoding = "utf-8" if utf8 else "ascii"
        await smtp.mail(self._sender, options=["SMTPUTF8"] if utf8 else [], encoding=encoding)
        await smtp.rcpt(to, encoding=encoding)

    async def _hand_over(self, smtp: SMTP, mail: EmailMessage) -> Outcome:
        try:
            await smtp.data(_bytes(mail))
        except SMTPDataError as error:
            return await self._rejected(smtp, error)
        except (SMTPException, OSError) as error:
            return Unknown(_name(error))
        self._used_at = monotonic()
        return Taken()

    async def _rejected(self, smtp: SMTP, error: SMTPResponseException) -> Outcome:
        await self._reset(smtp)
        return (Refused if error.code in PERMANENT else Postponed)(str(error.code))

    @staticmethod
    async def _reset(smtp: SMTP) -> None:
        """Clear the server's mind for the next mail; a connection that cannot be cleared is closed."""
        try:
            await smtp.rset()
        except (SMTPException, OSError):
            smtp.close()


def _bytes(mail: EmailMessage) -> bytes:
    return mail.as_bytes(policy=SMTP_ASCII if str(mail["To"]).isascii() else SMTPUTF8)


def _name(error: BaseException) -> str:
    """Name a fault by its kind: a server's own words may quote an address."""
    return f"{type(error).__name__} {error.code}" if isinstance(error, SMTPResponseException) else type(error).__name__
