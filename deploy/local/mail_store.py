"""Keeps mails as .eml files in a folder; what was taken is there after a restart."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mail:
    """The head of one mail; `id` is its file's name without the ending."""

    id: str
    received_at: datetime
    sender: str
    to: str
    subject: str
    message_id: str


class MailStore:
    """The mails of one folder, oldest first."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if need be, and read the heads of what is in it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._mails = {path.stem: _head(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.eml"))}

    def keep(self, content: bytes) -> Mail:
        """Write a mail down. It is there as a whole or not at all, whatever kills us; a power cut may cost the latest.

        Raises:
            OSError: it cannot be written.
        """
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / f"{name}.eml")
        self._mails[name] = _head(name, content)
        return self._mails[name]

    def newest(self, limit: int) -> list[Mail]:
        """Return the heads of the latest mails, newest first."""
        mails = list(self._mails.values())
        return mails[::-1][:limit]

    def find(self, name: str) -> tuple[Mail, EmailMessage] | None:
        """Return a mail with its words."""
        mail = self._mails.get(name)
        if mail is None:
            return None
        content = (self._folder / f"{name}.eml").read_bytes()
        return mail, BytesParser(EmailMessage, policy=policy.default).parsebytes(content)

    def count(self) -> int:
        """Count the mails."""
        return len(self._mails)

    def count_distinct(self) -> int:
        """Count the mails, one with the same Message-ID only once."""
        return len({mail.message_id or mail.id for mail in self._mails.values()})


def words_of(message: EmailMessage) -> str:
    """Return what a mail says: its plain text if it has one, else its HTML as it stands."""
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):
        return "(written in a way that cannot be shown)"


def _head(name: str, content: bytes) -> Mail:
    head = BytesHeaderParser(policy=policy.compat32).parsebytes(content)
    nanoseconds = int(name.partition("-")[0])
    return Mail(
        id=name,
        received_at=datetime.fromtimestamp(nanoseconds / _NANOSECONDS, UTC),
        sender=str(head.get("from", "")),
        to=str(head.get("to", "")),
        subject=_decoded(str(head.get("subject", ""))),
        message_id=str(head.get("message-id", "")).strip(),
    )


def _decoded(text: str) -> str:
    return str(policy.default.header_factory("subject", text))
