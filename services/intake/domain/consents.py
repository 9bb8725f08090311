"""A person's consent, read from the fields of a form: who may receive what, for what purpose, until when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from services.intake.domain.consent_options import ConsentOption
from services.intake.domain.validation import Fields, Problem, invalid, text_of
from shared.events.fields import FieldGroup

MAX_DURATION: Final = timedelta(days=366)
"""No consent lasts longer: for a longer time the person grants it again."""

DEFAULT_DURATION: Final = timedelta(days=180)
"""How long a consent lasts that a form proposes."""

METHODS: Final = ("paper", "electronic")
MAX_RECORD_LENGTH: Final = 200
RECIPIENTS, GROUPS = "consent[recipients]", "consent[groups]"
PURPOSE, ENDS_AT = "consent[purpose]", "consent[ends_at]"
CONSENT_FIELDS: Final = frozenset({RECIPIENTS, f"{RECIPIENTS}[]", GROUPS, f"{GROUPS}[]", PURPOSE, ENDS_AT})


@dataclass(frozen=True, slots=True)
class Permission:
    """What a person allows: these agencies may receive these groups, for this purpose, until just before `ends_at`."""

    recipients: tuple[str, ...]
    groups: tuple[FieldGroup, ...]
    purpose: str
    ends_at: datetime

    def id_for(self, case_id: UUID, key: str) -> UUID:
        """Derive the id of the consent from its content and a key, so that the same form sent twice grants it once."""
        parts = (key, *self.recipients, *self.groups, self.purpose, self.ends_at.isoformat())
        return uuid5(case_id, "|".join(parts))


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """The record of a consent that was signed before a caseworker: who signed, when and how."""

    signed_by: str
    signed_at: str
    method: str


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """A consent as it is stored; `how` it was granted is form, api or caseworker."""

    consent_id: UUID
    recipients: tuple[str, ...]
    purpose: str
    groups: tuple[FieldGroup, ...]
    how: str
    granted_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None

    def is_valid(self, at: datetime) -> bool:
        """Tell whether it is neither withdrawn nor over at a moment."""
        return self.withdrawn_at is None and at < self.ends_at


def read_permission(
    fields: Fields, options: Sequence[ConsentOption], now: datetime, zone: ZoneInfo
) -> tuple[Permission | None, list[Problem]]:
    """Read a consent; None without problems where the form names neither a recipient nor a group."""
    problems = [invalid("consent has an unknown part", "consent") for name in fields if _is_unknown_part(name)]
    recipients, groups = _chosen(fields, RECIPIENTS), _chosen(fields, GROUPS)
    if not recipients and not groups:
        return None, problems
    purpose = _read_purpose(fields, [each for each in options if each.recipient in recipients], problems)
    _check_choice(recipients, groups, [each for each in options if each.purpose == purpose or not purpose], problems)
    ends_at = _read_end(fields, now, zone, problems)
    if problems or purpose is None or ends_at is None:
        return None, problems
    return Permission(recipients, tuple(FieldGroup(group) for group in groups), purpose, ends_at), []


def read_signed_record(fields: Fields) -> tuple[SignedRecord | None, list[Problem]]:
    """Read the record of a consent that was signed before a caseworker: every part of it is required."""
    supplied = {name: text_of(fields, f"record[{name}]") for name in ("signed_by", "signed_at", "method")}
    problems = [_problem_in_record(name, value) for name, value in supplied.items()]
    found = [problem for problem in problems if problem is not None]
    return (None, found) if found else (SignedRecord(**{name: value or "" for name, value in supplied.items()}), [])


def _problem_in_record(name: str, value: str | None) -> Problem | None:
    field = f"record[{name}]"
    if value is None:
        return invalid(f"{field} is required: a consent is given in writing", field, "missing")
    if len(value) > MAX_RECORD_LENGTH:
        return invalid(f"{field} is longer than {MAX_RECORD_LENGTH} characters", field, "long")
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
    """Return the last day on which a consent that ends at a moment is valid."""
    return (moment.astimezone(zone) - timedelta(microseconds=1)).date()


def _is_unknown_part(name: str) -> bool:
    return name.startswith("consent") and name not in CONSENT_FIELDS


def _chosen(fields: Fields, name: str) -> tuple[str, ...]:
    values = (value for key in (name, f"{name}[]") for value in fields.get(key, ()))
    return tuple(sorted({part.strip() for value in values for part in value.split(",") if part.strip()}))


def _read_purpose(fields: Fields, options: Iterable[ConsentOption], problems: list[Problem]) -> str | None:
    """Return the purpose; the form may leave it out where the recipients have only one."""
    given, offered = text_of(fields, PURPOSE), {each.purpose for each in options}
    if given is None and len(offered) == 1:
        return offered.pop()
    if given is None and len(offered) > 1:
        problems.append(invalid(f"{PURPOSE} must be one of: {', '.join(sorted(offered))}", PURPOSE, "missing"))
    elif given is not None and offered and given not in offered:
        problems.append(invalid(f"{PURPOSE} is not one for which this can be shared", PURPOSE))
    return given


def _check_choice(
    recipients: Sequence[str], groups: Sequence[str], options: Sequence[ConsentOption], problems: list[Problem]
) -> None:
    """Refuse a choice that no agreement would act on: what a person signs must be what happens."""
    chosen = [each for each in options if each.recipient in recipients]
    if not recipients:
        problems.append(invalid(f"{RECIPIENTS} is required: who may be told", RECIPIENTS, "missing"))
    elif set(recipients) - {each.recipient for each in chosen}:
        problems.append(invalid(f"{RECIPIENTS} names an agency that this cannot be shared with", RECIPIENTS))
    if not groups:
        problems.append(invalid(f"{GROUPS} is required: what they may be told", GROUPS, "missing"))
    elif chosen and set(groups) - {group for each in chosen for group in each.groups}:
        problems.append(invalid(f"{GROUPS} names something that cannot be shared with them", GROUPS))
    elif any(each.groups.isdisjoint(groups) for each in chosen):
        problems.append(invalid(f"{RECIPIENTS} names an agency that cannot receive any of the groups", RECIPIENTS))


def _read_end(fields: Fields, now: datetime, zone: ZoneInfo, problems: list[Problem]) -> datetime | None:
    """Read the end: a moment, or the last day on which the consent is valid."""
    text = text_of(fields, ENDS_AT)
    if text is None:
        problems.append(invalid(f"{ENDS_AT} is required: every consent has an end", ENDS_AT, "missing"))
        return None
    moment = _moment(text, zone)
    if moment is None:
        problems.append(invalid(f"{ENDS_AT} must be a day such as 2026-05-31, or a moment with its offset", ENDS_AT))
    elif not now < moment <= now + MAX_DURATION:
        problems.append(invalid(f"{ENDS_AT} must be in the future, and at most a year from now", ENDS_AT, "range"))
    return moment


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        if len(text) == len("2026-05-31"):
            # A day is valid to its end: until midnight in the city.
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None
