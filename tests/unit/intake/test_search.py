"""A search stays within the limits of Open311."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain.search import Search, TimeRange, read_search
from services.intake.domain.validation import Refusal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def search(**fields: str) -> Search:
    found = read_search({name: [value] for name, value in fields.items()}, NOW)
    assert isinstance(found, Search), found
    return found


def reasons(**fields: str) -> list[str]:
    found = read_search({name: [value] for name, value in fields.items()}, NOW)
    assert isinstance(found, Refusal)
    return [problem.description for problem in found.problems]


def test_without_any_wish_the_last_ninety_days_are_searched() -> None:
    assert search() == Search(submitted=TimeRange(NOW - 90 * DAY, NOW), limit=1000)


def test_one_end_is_enough() -> None:
    assert search(start_date="2026-01-01T00:00:00Z").submitted == TimeRange(
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    )
    assert search(end_date="2026-04-01T00:00:00Z").submitted == TimeRange(
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    )


def test_more_than_ninety_days_are_refused() -> None:
    assert reasons(start_date="2026-01-01T00:00:00Z", end_date="2026-04-01T00:00:01Z") == [
        "start_date and end_date may not span more than 90 days"
    ]


def test_a_plus_that_was_not_escaped_is_understood() -> None:
    found = search(start_date="2026-01-01T00:00:00 01:00").submitted

    assert found is not None
    assert found.start.utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("date", ["yesterday", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "\x00"])
def test_a_date_that_is_none_or_has_no_offset_is_refused(date: str) -> None:
    assert reasons(start_date=date)


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
def test_a_date_at_the_end_of_time_does_no_harm(date: str) -> None:
    assert isinstance(read_search({"start_date": [date]}, NOW), Search | Refusal)
    assert isinstance(read_search({"end_date": [date]}, NOW), Search | Refusal)


def test_changes_are_searched_by_their_own_dates() -> None:
    found = search(updated_after="2026-05-01T00:00:00Z")

    assert found.submitted is None
    assert found.updated == TimeRange(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 30, tzinfo=UTC))


def test_lists_are_given_with_commas_or_several_times() -> None:
    found = read_search({"service_code": ["a,b", "c"], "status": ["open,closed"]}, NOW)

    assert isinstance(found, Search)
    assert found.services == ("a", "b", "c")
    assert found.statuses == ("open", "closed")


def test_pages_are_counted_from_one() -> None:
    assert (search(page="3").limit, search(page="3").offset) == (50, 100)
    assert (search(page_size="500").limit, search(page_size="500").offset) == (500, 0)


@pytest.mark.parametrize(
    "fields", [{"page": "0"}, {"page": "x"}, {"page_size": "501"}, {"page": "99999", "page_size": "500"}]
)
def test_a_page_out_of_bounds_is_refused(fields: dict[str, str]) -> None:
    assert reasons(**fields)


def test_an_unknown_status_is_refused() -> None:
    assert reasons(status="open,lost") == ["status must be open or closed"]
