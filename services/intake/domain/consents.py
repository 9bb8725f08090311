"""A person's consent, read from the fields of a form: who may be given what, for what, until when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.intake.domain.consent_options import ConsentOption
from services.intake.domain.fields import Fields, text_of
from services.intake.domain.problems import Problem, invalid
from shared.events.fields import FieldGroup

LONGEST: Final = timedelta(days=366)
"""No consent lasts longer; whoever wants it longer grants it anew."""

USUAL: Final = timedelta(days=180)
"""How long a consent lasts when the person does not choose."""

METHODS = ("paper", "electronic")
LONGEST_WORDS = 200
RECIPIENTS, GROUPS = "consent[recipients]", "consent[groups]"
PURPOSE, ENDS_AT = "consent[purpose]", "consent[ends_at]"
KNOWN = frozenset({RECIPIENTS, f"{RECIPIENTS}[]", GROUPS, f"{GROUPS}[]", PURPOSE, ENDS_AT})


@dataclass(frozen=True, slots=True)
class Permission:
    """What a person allows: these agencies are given these groups, for this purpose, until just before `ends_at`."""

    recipients: tuple[str, ...]
    groups: tuple[FieldGroup, ...]
    purpose: str
    ends_at: datetime

    def id_for(self, case_id: UUID, once: str) -> UUID:
        """Derive the id of the consent, so that the same form sent twice grants it once."""
        parts = (once, *self.recipients, *self.groups, self.purpose, self.ends_at.isoformat())
        return uuid5(case_id, "|".join(parts))


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """The written record of a consent that a caseworker took: who signed, when and how."""

    signed_by: str
    signed_at: str
    method: str


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """A consent as it is kept; `how` is form, api or caseworker."""

    consent_id: UUID
    recipients: tuple[str, ...]
    purpose: str
    groups: tuple[FieldGroup, ...]
    how: str
    granted_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None

    def live(self, at: datetime) -> bool:
        """Tell whether it counts at a moment."""
        return self.withdrawn_at is None and at < self.ends_at


def read_permission(
    fields: Fields, offers: Sequence[ConsentOption], now: datetime, zone: ZoneInfo
) -> tuple[Permission | None, list[Problem]]:
    """Read a consent; None where nobody and nothing is named, or where something is wrong with it."""
    problems = [invalid("consent has a part that nobody knows", "consent") for name in fields if _is_strange(name)]
    recipients, groups = _chosen(fields, RECIPIENTS), _chosen(fields, GROUPS)
    if not recipients and not groups:
        return None, problems
    purpose = _read_purpose(fields, [offer for offer in offers if offer.recipient in recipients], problems)
    _check_choice(recipients, groups, [offer for offer in offers if offer.purpose == purpose or not purpose], problems)
    ends_at = _read_end(fields, now, zone, problems)
    if problems or purpose is None or ends_at is None:
        return None, problems
    return Permission(recipients, tuple(FieldGroup(group) for group in groups), purpose, ends_at), []


def read_signed_record(fields: Fields) -> tuple[SignedRecord | None, list[Problem]]:
    """Read the record of a consent that was signed before a caseworker."""
    said = {name: text_of(fields, f"record[{name}]") for name in ("signed_by", "signed_at", "method")}
    problems = [_fault(name, value) for name, value in said.items()]
    found = [problem for problem in problems if problem is not None]
    return (None, found) if found else (SignedRecord(**{name: value or "" for name, value in said.items()}), [])


def _fault(name: str, value: str | None) -> Problem | None:
    field = f"record[{name}]"
    if value is None:
        return invalid(f"{field} is required: a consent is given in writing", field, "missing")
    if len(value) > LONGEST_WORDS:
        return invalid(f"{field} is longer than {LONGEST_WORDS} characters", field, "long")
    if name == "method" and value not in METHODS:
        return invalid(f"{field} must be one of: {', '.join(METHODS)}", field)
    if name == "signed_at" and not _is_moment(value):
        return invalid(f"{field} must be a day such as 2026-05-31, or a moment", field)
    return None


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def last_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the last day on which a consent that ends at a moment counts."""
    return (moment.astimezone(zone) - timedelta(microseconds=1)).date()


def _is_strange(name: str) -> bool:
    return name.startswith("consent") and name not in KNOWN


def _chosen(fields: Fields, name: str) -> tuple[str, ...]:
    values = (value for key in (name, f"{name}[]") for value in fields.get(key, ()))
    return tuple(sorted({part.strip() for value in values for part in value.split(",") if part.strip()}))


def _read_purpose(fields: Fields, offers: Iterable[ConsentOption], problems: list[Problem]) -> str | None:
    """Return the purpose; where those who are named have one only, it need not be given."""
    given, offered = text_of(fields, PURPOSE), {offer.purpose for offer in offers}
    if given is None and len(offered) == 1:
        return offered.pop()
    if given is None and len(offered) > 1:
        problems.append(invalid(f"{PURPOSE} must be one of: {', '.join(sorted(offered))}", PURPOSE, "missing"))
    elif given is not None and offered and given not in offered:
        problems.append(invalid(f"{PURPOSE} is not one for which this can be shared", PURPOSE))
    return given


def _check_choice(
    recipients: Sequence[str], groups: Sequence[str], offers: Sequence[ConsentOption], problems: list[Problem]
) -> None:
    """Refuse what no agreement would let happen: a consent must say what it does."""
    mine = [offer for offer in offers if offer.recipient in recipients]
    if not recipients:
        problems.append(invalid(f"{RECIPIENTS} is required: who may be told", RECIPIENTS, "missing"))
    elif set(recipients) - {offer.recipient for offer in mine}:
        problems.append(invalid(f"{RECIPIENTS} names an agency that this cannot be shared with", RECIPIENTS))
    if not groups:
        problems.append(invalid(f"{GROUPS} is required: what they may be told", GROUPS, "missing"))
    elif mine and set(groups) - {group for offer in mine for group in offer.groups}:
        problems.append(invalid(f"{GROUPS} names something that cannot be shared with them", GROUPS))
    elif any(offer.groups.isdisjoint(groups) for offer in mine):
        problems.append(invalid(f"{RECIPIENTS} names an agency that cannot be given any of the groups", RECIPIENTS))


def _read_end(fields: Fields, now: datetime, zone: ZoneInfo, problems: list[Problem]) -> datetime | None:
    """Read a moment, or the last day on which the consent counts."""
    text = text_of(fields, ENDS_AT)
    if text is None:
        problems.append(invalid(f"{ENDS_AT} is required: a consent always has an end", ENDS_AT, "missing"))
        return None
    moment = _moment(text, zone)
    if moment is None:
        problems.append(invalid(f"{ENDS_AT} must be a day such as 2026-05-31, or a moment with its offset", ENDS_AT))
    elif not now < moment <= now + LONGEST:
        problems.append(invalid(f"{ENDS_AT} must lie ahead, and not more than a year", ENDS_AT, "range"))
    return moment


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        if len(text) == len("2026-05-31"):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None
