"""A whole city that is measured: its figures reach the collector, and no personal value is in any of them."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from shared.events.topics import AGENCY_UPDATES, CASES, TOPIC_SPECS
from shared.kit.kafka.access import KafkaAccess
from tests.canaries import Canary, file_canaries
from tests.city import RunningCity, running_city
from tests.eventually import eventually
from tests.measured import Sink, otlp_sink

FILED = 20
ATTRIBUTES = {
    "error.type",
    "handoff.event.type",
    "handoff.outcome",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "messaging.consumer.group.name",
    "messaging.destination.name",
    "messaging.destination.template",
    "messaging.operation.name",
    "messaging.system",
    "url.scheme",
}
KIT = {
    "handoff.consumer.halted",
    "handoff.consumer.lag",
    "handoff.consumer.messages",
    "handoff.outbox.oldest_age",
    "handoff.spans.dropped",
    "http.server.request.duration",
    "messaging.client.consumed.messages",
    "messaging.process.duration",
}
MESSAGES = "handoff.consumer.messages"
SAID = {"handoff.outbox.rows", "messaging.client.operation.duration", "messaging.client.sent.messages"}

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Watched:
    """A city that has ended, what was planted in it, and what its collector was sent."""

    sink: Sink
    canaries: list[Canary]
    secrets: list[str]


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """Run a city that sends its figures twice a second, with values planted in reports, requests and messages."""
    with otlp_sink() as sink:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_METRIC_EXPORT_INTERVAL": "500"}
        with running_city(**settings) as city:
            canaries = [*file_canaries(city, FILED), ask_strangely(city), write_strangely(city)]
            eventually(lambda: "handoff.dead_letters" in sink.names("routing") and was_heard(city, canaries[-1]))
            secrets = ids(city)
        yield Watched(sink, canaries, secrets)


def was_heard(city: RunningCity, mark: Canary) -> bool:
    """Tell whether both services that ignore unknown types have consumed the event of an unknown type."""
    tables = ("metrics.inbox", "notifications.inbox")
    return all(city.rows(f"SELECT 1 FROM {table} WHERE event_id = '{UUID(mark.mark)}'") for table in tables)


def ask_strangely(city: RunningCity) -> Canary:
    """Request unknown resources, with canaries in paths, queries, headers and methods."""
    mark = Canary(uuid4().hex)
    for part in ("intake", "routing", "notifications", "metrics"):
        for method in ("GET", mark.word.upper()):
            for path in (f"/status/{mark.mark}", f"/{mark.word}/{mark.phone}", f"/cases/{mark.mark}?who={mark.word}"):
                httpx.request(method, f"{city.state.url(part)}{path}", headers={"x-name": mark.mark}, timeout=30)
    return mark


def write_strangely(city: RunningCity) -> Canary:
    """Write planted values to topics: as nonsense of an agency, and as an event of an unknown type."""
    mark, case_id = Canary(uuid4().hex), str(uuid4())
    odd = f"{mark.word}.{mark.word}.v1"
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(UUID(mark.mark)),
        "ce_type": odd,
        "ce_source": CASES.source,
        "ce_subject": case_id,
        "ce_time": "2026-03-01T12:00:00Z",
        "ce_dataclassification": "internal",
        "ce_sequence": "1",
    }
    event = json.dumps({"type": odd, "case_id": case_id, "who": mark.mark})
    nonsense = {f"x-{mark.word}": mark.mark}
    asyncio.run(
        write(
            city.state.kafka,
            (CASES.topic, case_id, event, headers),
            (AGENCY_UPDATES.topic.format(agency="nypd"), mark.mark, mark.phone, nonsense),
        )
    )
    return mark


async def write(kafka: KafkaAccess, *messages: tuple[str, str, str, dict[str, str]]) -> None:
    """Write messages: topic, key, value and headers of each."""
    producer: Any = AIOKafkaProducer(**kafka.client(), acks="all")
    await producer.start()
    try:
        for topic, key, value, headers in messages:
            pairs = [(name, text.encode()) for name, text in headers.items()]
            await producer.send_and_wait(topic, value.encode(), key.encode(), headers=pairs)
    finally:
        await producer.stop()


def ids(city: RunningCity) -> list[str]:
    """List the ids of all cases, referrals and events, and of all agencies that were asked."""
    tables = (
        "SELECT case_id::text FROM intake.cases",
        "SELECT referral_id::text FROM routing.referrals",
        "SELECT event_id::text FROM routing.inbox",
        "SELECT DISTINCT agency FROM routing.referrals",
    )
    return [text for table in tables for (text,) in city.rows(table)]


def points(metric: Any) -> list[Any]:
    """List the points of a metric."""
    return list(getattr(metric, metric.WhichOneof("data")).data_points)


def said(point: Any) -> dict[str, str]:
    """Return the attributes of a point as text."""
    return {each.key: each.value.string_value or str(each.value.int_value) for each in point.attributes}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("intake", KIT | SAID),
        ("routing", KIT | SAID | {"handoff.dead_letters"}),
        ("notifications", KIT | SAID),
        ("metrics", KIT),
    ],
)
def test_every_service_sends_its_figures(watched: Watched, service: str, expected: set[str]) -> None:
    assert expected - watched.sink.names(service) == set()


def test_figures_are_those_of_the_cases(watched: Watched) -> None:
    last = {
        (sender, *sorted(said(point).items())): point.as_int
        for sender, metric in watched.sink.metrics()
        if metric.name == MESSAGES
        for point in points(metric)
    }
    done = [
        count
        for (sender, *pairs), count in last.items()
        if sender == "routing"
        and ("handoff.event.type", "case.submitted.v1") in pairs
        and ("handoff.outcome", "done") in pairs
    ]
    assert done == [FILED]


def test_no_figure_holds_a_personal_value(watched: Watched) -> None:
    raw = b"\n".join(body for path, body in watched.sink.bodies if path == "/v1/metrics")
    assert len(raw) > 10_000
    assert [mark for mark in watched.canaries if mark.is_in(raw) or mark.word.upper().encode() in raw] == []
    text = "\n".join(str(metric) for _, metric in watched.sink.metrics())
    assert [mark for mark in watched.canaries if mark.is_in(text)] == []


def test_no_figure_tells_a_case_an_event_or_an_agency(watched: Watched) -> None:
    told = {value for _, metric in watched.sink.metrics() for point in points(metric) for value in said(point).values()}
    text = "\n".join(told)
    assert len(watched.secrets) > 3 * FILED
    assert [secret for secret in watched.secrets if secret in text] == []


def test_attributes_are_few_and_of_closed_lists(watched: Watched) -> None:
    all_said = [said(point) for _, metric in watched.sink.metrics() for point in points(metric)]
    assert {key for each in all_said for key in each} <= ATTRIBUTES
    topics = {language.topic for language in TOPIC_SPECS}
    named = {each.get("messaging.destination.name", each.get("messaging.destination.template")) for each in all_said}
    assert {name for name in named if name and not name.endswith(".dead-letters.v1")} <= topics
    assert {each["handoff.event.type"] for each in all_said if "handoff.event.type" in each} >= {"_OTHER"}
    series = {
        (sender, metric.name, *sorted(said(point).items()))
        for sender, metric in watched.sink.metrics()
        for point in points(metric)
    }
    assert len(series) < 400
