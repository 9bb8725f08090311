"""One mail that is to be sent: whether, to which address, in which language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.notifications.domain.news import Template
from shared.events.fields import FieldGroup

LONGEST_LOCAL_PART: Final = 64
LONGEST_DOMAIN: Final = 253
"""Octets, RFC 5321 §4.5.3.1 and RFC 1035 §2.3.4."""

Why = Literal["no-address", "not-wanted", "erased"]
"""Why nobody is told, on purpose."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail that is to be sent: the news, and what is kept of whoever reported the case, which may be nothing."""

    id: UUID
    case_id: UUID
    template: Template
    cause: UUID
    agency: str | None
    detail: str | None
    traceparent: str | None
    tries: int
    created_at: datetime
    service_request_id: str | None
    service_code: str | None
    language: str | None
    person_id: UUID | None
    contact: str | None
    protects: FieldGroup | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Nobody is told, and why."""

    why: Why


@dataclass(frozen=True, slots=True)
class Addressed:
    """Somebody is told at this address. `discreet` words name neither service nor agency."""

    address: str
    discreet: bool


def choose_recipient(email: str | None, protects: FieldGroup | None, template: Template) -> Addressed | Suppressed:
    """Decide where to send a mail about a report that touches a field group with stricter rules (`protects`), or none.

    No mail shows that a case about violence exists: others may read the mailbox.
    Of other protected reports it is told how they go, without naming service or agency; what is shared of them is shown
    on the person's own page only: nobody can say yet that they want mails of that kind.
    """
    if protects is FieldGroup.VICTIM_SERVICES or (protects and template.is_about_sharing):
        return Suppressed("not-wanted")
    address = usable_address(email or "")
    if address is None:
        return Suppressed("no-address")
    return Addressed(address, discreet=protects is not None)


def usable_address(text: str) -> str | None:
    """Return an e-mail address (RFC 5321 sizes, one recipient, domain in ASCII); None if this is not one."""
    local, _, domain = text.strip().rpartition("@")
    if not local or "." not in domain.strip(".") or not all(_may_be_in_address(sign) for sign in local + domain):
        return None
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        return None
    fits = len(local.encode()) <= LONGEST_LOCAL_PART and len(ascii_domain) <= LONGEST_DOMAIN
    return f"{local}@{ascii_domain}" if fits else None


def _may_be_in_address(sign: str) -> bool:
    return sign.isprintable() and not sign.isspace() and sign not in '@<>,;:"\\()[]'


def choose_language(wanted: str | None, offered: frozenset[str], otherwise: str) -> str:
    """Choose the language of a mail by BCP 47 lookup (RFC 4647 §3.4): `es-MX`, then `es`, then the city's own."""
    tag = (wanted or "").lower()
    while tag and tag not in offered:
        tag = tag.rpartition("-")[0]
    return tag or otherwise
