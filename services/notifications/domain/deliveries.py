"""One mail: whether it is sent, to which address, in which language, and what operators see of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from services.notifications.domain.notifications import Template
from shared.events.fields import FieldGroup

LONGEST_LOCAL_PART: Final = 64
"""Octets, RFC 5321 §4.5.3.1."""

LONGEST_DOMAIN: Final = 253
"""Octets, RFC 1035 §2.3.4."""

DeliveryState = Literal["waiting", "queued", "sending", "sent", "failed", "suppressed", "uncertain"]
"""waiting: its case is not known yet. sending: a worker is handing it to the mail server. uncertain: the mail server
may or may not have accepted it; it is not sent again."""

STATES: Final[tuple[DeliveryState, ...]] = get_args(DeliveryState)

SuppressionReason = Literal["no-address", "not-wanted", "erased"]
"""Why a mail is not sent on purpose."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail to send: the notification, and what is stored of the reporter, which may be nothing."""

    id: UUID
    case_id: UUID
    template: Template
    cause: UUID
    agency: str | None
    detail: str | None
    traceparent: str | None

    tries: int
    """How often the mail was deferred."""

    created_at: datetime
    """When the mail was queued, or when its embargo ended, if that was later."""

    service_request_id: str | None
    service_code: str | None
    language: str | None
    person_id: UUID | None

    contact: str | None
    """The contact fields, sealed under the person's key."""

    protects: FieldGroup | None = None
    """The strictest field group that the needs of the case protect."""

    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStatus:
    """What operators see of one mail: no address and no text."""

    id: UUID
    case_id: UUID
    template: str
    recipient: str
    agency: str | None
    state: DeliveryState
    tries: int
    problem: str | None
    happened_at: datetime
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many mails of one template are in one state."""

    template: str
    state: DeliveryState
    count: int


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The mail is not sent, and why."""

    why: SuppressionReason


@dataclass(frozen=True, slots=True)
class Addressed:
    """The mail goes to this address."""

    address: str

    discreet: bool
    """Whether its text names neither service nor agency."""


def choose_recipient(email: str | None, protects: FieldGroup | None, template: Template) -> Addressed | Suppressed:
    """Decide where to send a mail about a report that a field group protects (`protects`), or none.

    Other people may read the mailbox. So no mail is sent about a case of violence. Mails about other protected reports
    tell how the work goes, without service and agency; they do not tell what is shared, which the person's own page
    shows: the report form does not ask yet whether a person wants such mails.
    """
    if protects is FieldGroup.VICTIM_SERVICES or (protects and template.is_about_sharing):
        return Suppressed("not-wanted")
    address = normalize_address(email or "")
    if address is None:
        return Suppressed("no-address")
    return Addressed(address, discreet=protects is not None)


def normalize_address(text: str) -> str | None:
    """Return an e-mail address of one recipient, its domain in ASCII (IDNA); None if the text is not one."""
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
    """Tell whether a character is safe: no line break and no separator that would add a header or a recipient."""
    return sign.isprintable() and not sign.isspace() and sign not in '@<>,;:"\\()[]'


def choose_language(wanted: str | None, offered: frozenset[str], default: str) -> str:
    """Choose the language of a mail by BCP 47 lookup (RFC 4647 §3.4): `es-MX`, then `es`, then the default."""
    tag = (wanted or "").lower()
    while tag and tag not in offered:
        tag = tag.rpartition("-")[0]
    return tag or default
