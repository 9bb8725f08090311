"""Instruments: what they count, by which labels, and that they do nothing without a meter."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.metrics import Counter, Histogram, NoOpMeter, ObservableCounter, ObservableGauge
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from shared.events.event import Classification, Event
from shared.events.intake import CaseWithdrawn
from shared.events.topics import AGENCY_INBOX, AGENCY_UPDATES, CASES, TOPIC_SPECS, TopicSpec, family_of
from shared.events.wire import Envelope
from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import Database
from shared.kit.kafka.access import KafkaAccess
from shared.kit.messaging.messages import InboundMessage
from shared.kit.observability.http_metrics import time_requests
from shared.kit.observability.instruments import Instruments, consumer_attributes
from shared.kit.observability.metrics_export import MetricsExporter, make_provider, start_metrics
from shared.kit.relay.relay import Relay
from shared.kit.service.gauges import Gauges
from tests.architecture.source import ROOT
from tests.measured import Measured, otlp_sink

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GROUP, NAME = "messaging.consumer.group.name", "messaging.destination.name"
TEMPLATE = "messaging.destination.template"
KIT = consumer_attributes("kit", CASES.topic)


def received(event: Event) -> InboundMessage[Any]:
    """Make a message of an event."""
    envelope = Envelope(
        uuid4(), event.type, "/services/intake", str(event.case_id), NOW, 1, None, Classification.INTERNAL, None
    )
    record: Any = None
    return InboundMessage(envelope, event, CASES.topic, None, record)


@pytest.mark.parametrize("language", TOPIC_SPECS)
def test_a_topic_is_known_by_its_family(language: TopicSpec) -> None:
    assert family_of(language.topic.format(agency="nypd")) == language.topic


def test_a_topic_of_no_family_keeps_its_name() -> None:
    assert family_of("routing.dead-letters.v1") == "routing.dead-letters.v1"


def test_messages_are_counted_by_type_and_outcome() -> None:
    measured = Measured()
    messages = [received(CaseWithdrawn(case_id=uuid4(), withdrawn_at=NOW)) for _ in range(5)]
    types = [message.known_type for message in messages]
    measured.instruments.processed(KIT, types[:3], types)
    assert measured.values("handoff.consumer.messages", "handoff.event.type", "handoff.outcome", NAME, GROUP) == {
        ("case.withdrawn.v1", "done", "intake.cases.v1", "kit"): 3,
        ("case.withdrawn.v1", "repeated", "intake.cases.v1", "kit"): 2,
    }


def test_a_type_that_a_stranger_made_up_is_not_repeated() -> None:
    measured = Measured()
    message = received(Event(type="jane.doe.v1", case_id=uuid4()))
    measured.instruments.processed(KIT, [message.known_type])
    assert measured.values("handoff.consumer.messages", "handoff.event.type") == {("_OTHER",): 1}


def test_agencies_are_counted_together() -> None:
    measured = Measured()
    rows = [(AGENCY_INBOX.topic.format(agency=agency), "referral.requested.v1") for agency in ("nypd", "hpd", "dep")]
    measured.instruments.left_outbox(rows[:1], rows[1:2], rows[2:])
    measured.instruments.received(consumer_attributes("kit", AGENCY_UPDATES.topic), 7)
    assert measured.values("handoff.outbox.rows", TEMPLATE, "handoff.outcome") == {
        ("agency.{agency}.inbox.v1", "relayed"): 1,
        ("agency.{agency}.inbox.v1", "withheld"): 1,
        ("agency.{agency}.inbox.v1", "refused"): 1,
    }
    assert measured.values("handoff.dead_letters", TEMPLATE, GROUP, "error.type") == {
        ("agency.{agency}.inbox.v1", "relay", "MessageSizeTooLarge"): 1
    }
    assert measured.values("messaging.client.consumed.messages", TEMPLATE, NAME) == {
        ("agency.{agency}.updates.v1", None): 7
    }


def test_a_dead_letter_on_its_way_has_no_type() -> None:
    measured = Measured()
    measured.instruments.left_outbox([("kit.dead-letters.v1", None)], [], [])
    assert measured.values("handoff.outbox.rows", NAME, "handoff.event.type") == {("kit.dead-letters.v1", None): 1}


def test_a_failure_is_told_by_its_class_and_never_by_its_words() -> None:
    measured = Measured()
    with pytest.raises(ArithmeticError), measured.instruments.processing(KIT):
        raise ArithmeticError("ann@example.org")
    measured.instruments.paused(KIT, ArithmeticError("ann@example.org"))
    measured.instruments.relay_paused(ArithmeticError("ann@example.org"))
    [point] = measured.points("messaging.process.duration")
    assert (point["error.type"], point["messaging.operation.name"], point["count"]) == ("ArithmeticError", "process", 1)
    assert measured.values("handoff.consumer.pauses", "error.type") == {("ArithmeticError",): 1}
    assert measured.values("handoff.relay.pauses", "error.type") == {("ArithmeticError",): 1}


def test_durations_have_the_buckets_that_opentelemetry_advises() -> None:
    reader = InMemoryMetricReader()
    with Instruments(make_provider("kit", reader).get_meter("handoff")).processing(KIT):
        pass
    found: Any = reader.get_metrics_data()
    [point] = found.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert tuple(point.explicit_bounds)[:3] == (0.005, 0.01, 0.025)
    assert tuple(point.explicit_bounds)[-1] == 10


class Unread(Iterator[Any]):
    """Values that must not be read."""

    def __next__(self) -> Any:
        """Fail."""
        raise AssertionError


def test_without_a_collector_nothing_is_counted_until_a_meter_is_connected() -> None:
    measured, silent = Measured(), Instruments()
    silent.processed(KIT, Unread(), Unread())
    silent.published(Unread(), 1.0)
    silent.left_outbox(Unread(), Unread(), Unread())
    silent.received(KIT, 5)
    assert not silent.on
    silent.connect(measured.meter)
    silent.received(KIT, 2)
    assert measured.values("messaging.client.consumed.messages", NAME) == {("intake.cases.v1",): 2}


def test_without_a_collector_there_is_no_meter() -> None:
    assert start_metrics("kit", None) == MetricsExporter(None)


def test_settings_that_opentelemetry_refuses_stop_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "-5")
    assert start_metrics("kit", "http://127.0.0.1:1").meter is None


def test_a_collector_that_is_away_is_waited_for_a_second_or_two_at_most() -> None:
    metering = start_metrics("kit", "http://127.0.0.1:1")
    assert metering.meter is not None
    Instruments(metering.meter).received(KIT, 1)
    began = datetime.now(UTC)
    metering.shutdown()
    metering.shutdown()
    assert (datetime.now(UTC) - began).total_seconds() < 4


def test_what_is_measured_has_reached_the_collector_when_a_service_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with otlp_sink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.url)
        metering = start_metrics("kit", sink.url)
        Instruments(metering.meter).received(KIT, 7)
        metering.shutdown()
    [(service, metric)] = sink.metrics()
    assert (service, metric.name, metric.unit) == ("kit", "messaging.client.consumed.messages", "{message}")
    [point] = metric.sum.data_points
    assert point.as_int == 7
    assert {each.key: each.value.string_value for each in point.attributes} == {
        "messaging.system": "kafka",
        "messaging.operation.name": "poll",
        "messaging.destination.name": "intake.cases.v1",
        "messaging.consumer.group.name": "kit",
    }
    assert list(point.exemplars) == []


class Listing(NoOpMeter):
    """A meter that lists what is made of it."""

    def __init__(self) -> None:
        super().__init__("listing")
        self.made: dict[str, str] = {}

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter:
        self.made[name] = f"counter, {unit}"
        return super().create_counter(name, unit, description)

    def create_histogram(self, name: str, unit: str = "", *rest: Any, **more: Any) -> Histogram:
        self.made[name] = f"histogram, {unit}"
        return super().create_histogram(name, unit, *rest, **more)

    def create_observable_gauge(self, name: str, callbacks: Any = None, unit: str = "", *rest: Any) -> ObservableGauge:
        self.made[name] = f"gauge, {unit}"
        return super().create_observable_gauge(name, callbacks, unit, *rest)

    def create_observable_counter(
        self, name: str, callbacks: Any = None, unit: str = "", *rest: Any
    ) -> ObservableCounter:
        self.made[name] = f"counter, {unit}"
        return super().create_observable_counter(name, callbacks, unit, *rest)


def test_the_operators_page_lists_every_instrument_with_its_kind_and_unit() -> None:
    meter, nobody = Listing(), KafkaAccess("nowhere:9092")
    database = Database("postgresql://nowhere", "kit")
    Instruments(meter)
    Gauges(Relay("kit", database, nobody), ConsumerSupervisor("kit", [], database, nobody), lambda: 0).connect(meter)
    page = (ROOT / "docs" / "operations" / "metrics.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"(?m)^\| `([a-z_.]+)` \| ([^|]+) \|", page)) == meter.made


async def served(measured: Measured, method: str, path: str) -> None:
    """Ask an application whose requests are timed."""

    async def answer(request: Request) -> Response:
        if request.path_params["token"] == "broken":
            raise ArithmeticError("ann@example.org")
        return Response(status_code=503 if request.path_params["token"] == "busy" else 200)

    app = Starlette(routes=[Path("/status/{token}", answer, methods=["GET", "POST"])])
    time_requests(app.router, measured.instruments)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.request(method, path)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/status/ann-example-org", ("GET", "/status/{token}", 200, None)),
        ("POST", "/status/a?who=ann", ("POST", "/status/{token}", 200, None)),
        ("GET", "/status/busy", ("GET", "/status/{token}", 503, "503")),
        ("GET", "/status/broken", ("GET", "/status/{token}", 500, "ArithmeticError")),
        ("GET", "/ann-example-org", ("GET", None, 404, None)),
        ("ANN", "/status/a", ("_OTHER", "/status/{token}", 405, None)),
    ],
)
async def test_a_request_is_known_by_the_template_of_its_route(
    method: str, path: str, expected: tuple[str, str | None, int, str | None]
) -> None:
    measured = Measured()
    await served(measured, method, path)
    keys = ("http.request.method", "http.route", "http.response.status_code", "error.type")
    assert measured.values("http.server.request.duration", *keys) == {expected: 1}
    [point] = measured.points("http.server.request.duration")
    assert point["url.scheme"] == "http"
    assert 0 < point["sum"] < 5
