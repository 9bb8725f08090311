"""Reads which cases a caller asks for, within the limits that Open311 sets."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.domain.validation import Fields, Problem, Refusal, check_fields, invalid, list_values, text_of

MAX_RANGE = timedelta(days=90)
MAX_RESULTS = 1000
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 500
MAX_OFFSET = 100_000
"""Rows that pages may skip: for more the caller narrows the dates."""

STATUSES = frozenset({"open", "closed"})
SPACE_FOR_PLUS = re.compile(r" ([0-9]{2}:?[0-9]{2})$")
"""What a form decodes `+05:00` to when the caller does not write its plus as %2B."""

COUNT = re.compile(r"[0-9]{1,6}")
LISTS = frozenset({"service_request_id", "service_code", "status"})


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range of time, both ends included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Search:
    """A search: cases by number, or all that match; newest first."""

    numbers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    submitted: TimeRange | None = None
    updated: TimeRange | None = None
    limit: int = MAX_RESULTS
    offset: int = 0


def read_search(fields: Fields, now: datetime) -> Search | Refusal:
    """Read a search; the refusal has status 400, for example for a range of more than 90 days."""
    problems: list[Problem] = check_fields(fields, LISTS)
    numbers = tuple(list_values(fields, "service_request_id"))
    if len(numbers) > MAX_RESULTS:
        problems.append(invalid(f"service_request_id: {MAX_RESULTS} at most", "service_request_id", "long"))
    statuses = tuple(list_values(fields, "status"))
    if not STATUSES.issuperset(statuses):
        problems.append(invalid("status must be open or closed", "status"))
    submitted = _read_range(fields, ("start_date", "end_date"), now, problems)
    updated = _read_range(fields, ("updated_after", "updated_before"), now, problems)
    if submitted is None and updated is None:
        submitted = TimeRange(now - MAX_RANGE, now)
    limit, offset = _read_page(fields, problems)
    if problems:
        return Refusal(tuple(problems))
    return Search(numbers, tuple(list_values(fields, "service_code")), statuses, submitted, updated, limit, offset)


def _read_range(fields: Fields, names: tuple[str, str], now: datetime, problems: list[Problem]) -> TimeRange | None:
    """Read a range; with one end only it lasts 90 days."""
    start, end = (_read_moment(fields, name, problems) for name in names)
    if start and end and end - start > MAX_RANGE:
        problems.append(invalid(f"{names[0]} and {names[1]} may not span more than {MAX_RANGE.days} days", names[1]))
    if start is None and end is None:
        return None
    try:
        return TimeRange(start or (end or now) - MAX_RANGE, end or (start or now) + MAX_RANGE)
    except OverflowError:
        problems.append(invalid(f"{names[0]} or {names[1]} is out of range", names[0]))
        return None


def _read_moment(fields: Fields, name: str, problems: list[Problem]) -> datetime | None:
    text = text_of(fields, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(SPACE_FOR_PLUS.sub(r"+\1", text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        problems.append(invalid(f"{name} must be a date and time with its offset, such as 2010-05-24T00:00:00Z", name))
        return None
    return moment


def _read_page(fields: Fields, problems: list[Problem]) -> tuple[int, int]:
    """Return the limit and the offset; without page and page_size the limit is the most that one answer may hold."""
    if text_of(fields, "page") is None and text_of(fields, "page_size") is None:
        return MAX_RESULTS, 0
    size = _read_count(fields, "page_size", DEFAULT_PAGE_SIZE, problems)
    page = _read_count(fields, "page", 1, problems)
    if not 1 <= size <= MAX_PAGE_SIZE:
        problems.append(invalid(f"page_size must be a number from 1 to {MAX_PAGE_SIZE}", "page_size"))
    if page < 1 or (page - 1) * size > MAX_OFFSET:
        problems.append(
            invalid(f"page must be at least 1, and may not reach beyond row {MAX_OFFSET}: narrow the dates", "page")
        )
    return size, (page - 1) * size


def _read_count(fields: Fields, name: str, otherwise: int, problems: list[Problem]) -> int:
    text = text_of(fields, name)
    if text is None:
        return otherwise
    if not COUNT.fullmatch(text):
        problems.append(invalid(f"{name} must be a whole number", name))
        return otherwise
    return int(text)
