"""Personal values planted in fifty cases are found nowhere but where they belong."""

from collections.abc import Iterator

import httpx
import pytest

from tests.canaries import Canary, file_canaries
from tests.city import RunningCity
from tests.eventually import eventually
from tests.kafka_contents import Record, read_all, topic_names

CASES = 50


@pytest.fixture(scope="module")
def canaries(city: RunningCity) -> list[Canary]:
    """File the cases, and wait until each of them has been routed and closed, and mails have gone out."""
    marks = file_canaries(city, CASES)
    eventually(lambda: _mails(city) >= CASES or None)
    return marks


def _mails(city: RunningCity) -> int:
    return int(httpx.get(f"{city.state.url('mailbox')}/messages.json", timeout=30).json()["count"])


def _texts(record: Record) -> Iterator[bytes]:
    yield record.key or b""
    for name, value in record.headers:
        yield name.encode() + value


async def _records(city: RunningCity) -> list[Record]:
    kafka = city.state.kafka
    return await read_all(kafka, await topic_names(kafka))


async def test_no_internal_topic_and_no_dead_letter_holds_a_personal_value(
    city: RunningCity, canaries: list[Canary]
) -> None:
    internal = [record for record in await _records(city) if not record.topic.startswith("agency.")]
    assert len(internal) > 3 * CASES
    raw = b"\n".join(record.value or b"" for record in internal).decode()
    assert [mark for mark in canaries if mark.is_in(raw)] == []


async def test_no_key_and_no_header_of_any_topic_holds_a_personal_value(
    city: RunningCity, canaries: list[Canary]
) -> None:
    raw = b"\n".join(text for record in await _records(city) for text in _texts(record))
    assert b"ce_id" in raw
    assert [mark for mark in canaries if mark.is_in(raw)] == []


async def test_the_agencies_that_are_asked_do_get_what_is_released(city: RunningCity, canaries: list[Canary]) -> None:
    inboxes = [r for r in await _records(city) if r.topic.startswith("agency.") and r.topic.endswith(".inbox.v1")]
    raw = b"\n".join(record.value or b"" for record in inboxes)
    assert [mark for mark in canaries if f"Words{mark.word}".encode() not in raw] == []


def test_no_log_line_holds_a_personal_value(city: RunningCity, canaries: list[Canary]) -> None:
    logs = [file for file in (city.folder / "logs").rglob("*") if file.is_file()]
    assert len(logs) >= 6
    raw = b"\n".join(file.read_bytes() for file in logs)
    assert [mark for mark in canaries if mark.is_in(raw)] == []


@pytest.mark.parametrize("schema", ["intake", "routing", "notifications", "metrics", "vault"])
def test_no_table_holds_a_personal_value(city: RunningCity, canaries: list[Canary], schema: str) -> None:
    tables = [name for (name,) in city.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")]
    assert tables
    rows = [str(row) for name in tables for row in city.rows(f"SELECT t::text FROM {schema}.{name} AS t")]
    raw = "\n".join(rows)
    assert [mark for mark in canaries if mark.is_in(raw)] == []


def test_spans_were_kept_and_hold_no_personal_value(city: RunningCity, canaries: list[Canary]) -> None:
    spans = [str(row) for row in eventually(lambda: city.rows("SELECT s::text FROM metrics.spans AS s"))]
    assert len(spans) > CASES
    raw = "\n".join(spans)
    assert [mark for mark in canaries if mark.is_in(raw)] == []


def test_the_public_api_shows_no_personal_value(city: RunningCity, canaries: list[Canary]) -> None:
    page = httpx.get(f"{city.state.url('intake')}/open311/v2/requests.json?extensions=true&page_size=200", timeout=30)
    assert page.status_code == 200
    assert len(page.json()) >= CASES
    assert [mark for mark in canaries if mark.is_in(page.text)] == []
