"""The counters and histograms of one service: by topic, group, event type, outcome and error class, never by case.

Callers give names and counts. Nothing is measured until a meter is connected, and each instrument is used once for a
batch, not once for a message. Names follow OpenTelemetry's conventions for messaging and HTTP where these have one; the
others begin with `handoff.`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Final

from opentelemetry.metrics import Meter, NoOpMeter

from shared.events.topics import family_of

Attributes = Mapping[str, str | int]

EventKind = tuple[str, str | None]
"""A topic and an event type, which a dead letter does not have: what a figure tells about an outbox row."""

METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
OTHER: Final = "_OTHER"
"""OpenTelemetry's name for a value that is not a known one: text that a stranger chose must not become a label."""

RELAY_GROUP: Final = "relay"
BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Bounds of the buckets of every duration, as OpenTelemetry's conventions advise."""

_NOTHING: Final[Attributes] = {}
_SEND: Final[Attributes] = {"messaging.operation.name": "send"}


class Instruments:
    """The instruments of one service; `consumer` is what `consumer_attributes` returns."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.connect(meter or NoOpMeter("handoff"))
        self.on = meter is not None

    def connect(self, meter: Meter) -> None:
        """Measure with this meter from now on."""
        self.on = True
        count = meter.create_counter
        self._received = count("messaging.client.consumed.messages", "{message}", "Messages that were read.")
        self._sent = count("messaging.client.sent.messages", "{message}", "Messages that were sent, or failed to be.")
        self._processed = count("handoff.consumer.messages", "{message}", "Messages processed and committed.")
        self._dead_letters = count("handoff.dead_letters", "{message}", "Messages stored as dead letters.")
        self._bisected = count("handoff.consumer.narrowed", "{batch}", "Batches that failed and were bisected.")
        self._paused = count("handoff.consumer.pauses", "{pause}", "Pauses because a dependency was unavailable.")
        self._rows = count("handoff.outbox.rows", "{row}", "Rows that left the outbox.")
        self._relay_paused = count("handoff.relay.pauses", "{pause}", "Pauses of the relay.")
        self._processing = _duration(meter, "messaging.process.duration", "Time for one batch, with its commit.")
        self._publishing = _duration(meter, "messaging.client.operation.duration", "Time until Kafka has a batch.")
        self._requests = _duration(meter, "http.server.request.duration", "Time for a request.")

    def received(self, consumer: Attributes, count: int) -> None:
        """Count messages that a consumer read from Kafka."""
        if self.on:
            self._received.add(count, {**consumer, "messaging.operation.name": "poll"})

    @contextmanager
    def processing(self, consumer: Attributes) -> Iterator[None]:
        """Time the processing of a batch, to its commit or failure."""
        began, failure = perf_counter(), _NOTHING
        try:
            yield
        except BaseException as error:
            failure = _error_type(error)
            raise
        finally:
            if self.on:
                operation = {**consumer, "messaging.operation.name": "process", **failure}
                self._processing.record(perf_counter() - began, operation)

    def processed(self, consumer: Attributes, done: Iterable[str | None], received: Iterable[str | None] = ()) -> None:
        """Count processed messages by event type; None is a type that the topic does not know.

        `done` are the types of the messages that were new. `received` are the types of all messages, needed only if
        some of them are repeats. While no meter is connected neither is read, so both may be lazy.
        """
        if not self.on:
            return
        new = Counter(done)
        for outcome, types in ("done", new), ("repeated", Counter(received) - new):
            for event_type, count in types.items():
                kind = {"handoff.event.type": event_type or OTHER, "handoff.outcome": outcome}
                self._processed.add(count, {**consumer, **kind})

    def dead_lettered(self, consumer: Attributes, count: int, error_type: str) -> None:
        """Count messages that were stored as dead letters for an error of this class."""
        if self.on:
            self._dead_letters.add(count, {**consumer, "error.type": error_type})

    def bisected(self, consumer: Attributes, error: BaseException) -> None:
        """Count a batch that failed and is processed in halves."""
        if self.on:
            self._bisected.add(1, {**consumer, **_error_type(error)})

    def paused(self, consumer: Attributes, error: BaseException) -> None:
        """Count a pause of a consumer whose database is unavailable."""
        if self.on:
            self._paused.add(1, {**consumer, **_error_type(error)})

    def relay_paused(self, error: BaseException) -> None:
        """Count a pause of the relay: Kafka or the database is unavailable."""
        if self.on:
            self._relay_paused.add(1, _error_type(error))

    def published(self, kinds: Iterable[EventKind], seconds: float, error: BaseException | None = None) -> None:
        """Record rows that were given to Kafka, and the time that Kafka took for the last of them.

        `error` is what failed, if anything did: then Kafka may have the rows or not.
        """
        if not self.on:
            return
        failure = _NOTHING if error is None else _error_type(error)
        counts = _by_family(kinds)
        for kind, count in counts.items():
            self._sent.add(count, {**_kind(kind), **_SEND, **failure})
        if counts:
            self._publishing.record(seconds, {"messaging.system": "kafka", **_SEND, **failure})

    def left_outbox(
        self, relayed: Iterable[EventKind], withheld: Iterable[EventKind], rejected: Iterable[EventKind]
    ) -> None:
        """Count rows that the relay took out of the outbox: published, withheld, or too large for Kafka."""
        if not self.on:
            return
        too_large = _by_family(rejected)
        outcomes = ("relayed", _by_family(relayed)), ("withheld", _by_family(withheld)), ("refused", too_large)
        for outcome, counts in outcomes:
            for kind, count in counts.items():
                self._rows.add(count, {**_kind(kind), "handoff.outcome": outcome})
        for (family, _), count in too_large.items():
            self._dead_letters.add(
                count, {**consumer_attributes(RELAY_GROUP, family), "error.type": "MessageSizeTooLarge"}
            )

    def answered(self, scope: Mapping[str, Any], status: int, seconds: float, error: BaseException | None) -> None:
        """Record a request by its route's template, never by its path; `scope` is ASGI's."""
        attributes: dict[str, str | int] = {
            "http.request.method": scope["method"] if scope["method"] in METHODS else OTHER,
            "http.response.status_code": status,
            "url.scheme": "https" if scope.get("scheme") == "https" else "http",
        }
        if template := getattr(scope.get("route"), "path", None):
            attributes["http.route"] = template
        if error is not None or status >= 500:  # noqa: PLR2004 - the server's own errors begin here
            attributes["error.type"] = type(error).__name__ if error else str(status)
        self._requests.record(seconds, attributes)


def consumer_attributes(group: str, family: str) -> dict[str, str]:
    """Return what every figure of a consumer is labelled by: its group, and its topic or family of topics."""
    return {**_destination(family), "messaging.consumer.group.name": group}


def _duration(meter: Meter, name: str, description: str) -> Any:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=BUCKETS_SECONDS)


def _destination(family: str) -> dict[str, str]:
    """Return the labels of a topic, or of a family of topics by its template: agencies are not told apart."""
    kind = "template" if "{" in family else "name"
    return {"messaging.system": "kafka", f"messaging.destination.{kind}": family}


def _error_type(error: BaseException) -> Attributes:
    return {"error.type": type(error).__name__}


def _by_family(kinds: Iterable[EventKind]) -> Counter[EventKind]:
    """Count rows by family of topics and event type."""
    families: Counter[EventKind] = Counter()
    # Count by topic first: family_of matches patterns, and a batch has many rows but few topics.
    for (topic, event_type), count in Counter(kinds).items():
        families[family_of(topic), event_type] += count
    return families


def _kind(kind: EventKind) -> dict[str, str]:
    family, event_type = kind
    return {**_destination(family), "handoff.event.type": event_type} if event_type else _destination(family)
