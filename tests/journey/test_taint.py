"""Personal values planted in fifty cases are found nowhere but where they belong."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from tests.city import City, eventually
from tests.topics_read import Record, read_all, topic_names

CASES = 50
SERVICES: tuple[tuple[str, dict[str, str | list[str]]], ...] = (
    ("heat-hot-water", {"attribute[scope]": "apartment", "attribute[missing][]": ["heat"]}),
    ("noise-from-neighbors", {}),
    ("rats-or-mice", {}),
    ("illegal-parking", {}),
    ("pothole-or-street", {}),
)


@dataclass(frozen=True)
class Planted:
    """What was put into a case, all of it findable: each value stands nowhere else in the world."""

    mark: str

    @property
    def phone(self) -> str:
        """Twelve digits that stand nowhere else."""
        return str(int(self.mark, 16))[-12:]

    @property
    def word(self) -> str:
        """A word without digits, which nothing takes for a number or a plate."""
        return self.mark.translate(str.maketrans("0123456789", "ghijklmnop"))

    def is_in(self, text: str | bytes) -> bool:
        """Tell whether one of its values is in a text."""
        found = text.decode(errors="replace") if isinstance(text, bytes) else text
        return self.mark in found or self.word in found or self.phone in found

    def fields(self) -> dict[str, str | list[str]]:
        """Return the fields of the report that are personal."""
        return {
            "first_name": f"First{self.mark}",
            "last_name": f"Last{self.mark}",
            "email": f"mail{self.mark}@example.org",
            "phone": self.phone,
            "description": f"Words{self.word} about it",
            "address_string": f"1 Street{self.mark}",
            "device_id": f"device{self.mark}",
            "media_url": f"https://example.org/{self.mark}.jpg",
        }


@pytest.fixture(scope="module")
def planted(city: City) -> list[Planted]:
    """File the cases, and wait until each of them has been routed and closed."""
    marks = []
    before = city.ask("metrics", "/reconciliation").json()["accepted"]
    for number in range(CASES):
        mark = Planted(uuid4().hex)
        service, answers = SERVICES[number % len(SERVICES)]
        place = {"lat": f"{40.83 + number / 10_000:.6f}", "long": "-73.9137"}
        answer = city.file(None, service_code=service, **answers, **place, **mark.fields())
        assert answer.status_code == 201, answer.text
        marks.append(mark)
    city.reconciled(before + CASES)
    eventually(lambda: _mails(city) >= CASES or None, 60)
    return marks


def _mails(city: City) -> int:
    return int(httpx.get(f"{city.state.url('mailbox')}/messages.json", timeout=30).json()["count"])


def _texts(record: Record) -> Iterator[bytes]:
    yield record.key or b""
    for name, value in record.headers:
        yield name.encode() + value


async def _records(city: City) -> list[Record]:
    kafka = city.state.kafka
    return await read_all(kafka, await topic_names(kafka))


async def test_no_internal_topic_and_no_dead_letter_holds_a_personal_value(city: City, planted: list[Planted]) -> None:
    internal = [record for record in await _records(city) if not record.topic.startswith("agency.")]
    assert len(internal) > 3 * CASES
    raw = b"\n".join(record.value or b"" for record in internal).decode()
    assert [mark for mark in planted if mark.is_in(raw)] == []


async def test_no_key_and_no_header_of_any_topic_holds_a_personal_value(city: City, planted: list[Planted]) -> None:
    raw = b"\n".join(text for record in await _records(city) for text in _texts(record))
    assert b"ce_id" in raw
    assert [mark for mark in planted if mark.is_in(raw)] == []


async def test_the_agencies_that_are_asked_do_get_what_is_released(city: City, planted: list[Planted]) -> None:
    inboxes = [r for r in await _records(city) if r.topic.startswith("agency.") and r.topic.endswith(".inbox.v1")]
    raw = b"\n".join(record.value or b"" for record in inboxes)
    assert [mark for mark in planted if f"Words{mark.word}".encode() not in raw] == []


def test_no_log_line_holds_a_personal_value(city: City, planted: list[Planted]) -> None:
    logs = [file for file in (city.folder / "logs").rglob("*") if file.is_file()]
    assert len(logs) >= 6
    raw = b"\n".join(file.read_bytes() for file in logs)
    assert [mark for mark in planted if mark.is_in(raw)] == []


@pytest.mark.parametrize("schema", ["intake", "routing", "notifications", "metrics", "vault"])
def test_no_table_holds_a_personal_value(city: City, planted: list[Planted], schema: str) -> None:
    tables = [name for (name,) in city.rows(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'")]
    assert tables
    rows = [str(row) for name in tables for row in city.rows(f"SELECT t::text FROM {schema}.{name} AS t")]
    raw = "\n".join(rows)
    assert [mark for mark in planted if mark.is_in(raw)] == []


def test_spans_were_kept_and_hold_no_personal_value(city: City, planted: list[Planted]) -> None:
    spans = [str(row) for row in eventually(lambda: city.rows("SELECT s::text FROM metrics.spans AS s"))]
    assert len(spans) > CASES
    raw = "\n".join(spans)
    assert [mark for mark in planted if mark.is_in(raw)] == []


def test_the_public_api_shows_no_personal_value(city: City, planted: list[Planted]) -> None:
    page = httpx.get(f"{city.state.url('intake')}/open311/v2/requests.json?extensions=true&page_size=200", timeout=30)
    assert page.status_code == 200
    assert len(page.json()) >= CASES
    assert [mark for mark in planted if mark.is_in(page.text)] == []
