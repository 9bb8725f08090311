"""What a service counts and times: by topic, group, type of event, outcome and class of error, and never by case.

Nothing is measured until a meter is connected, and every instrument is used once for a batch, not once for a message.
Names follow OpenTelemetry's conventions for messaging and HTTP where these have one; the rest begin with `handoff.`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from time import perf_counter
from typing import Any, Final

from opentelemetry.metrics import Meter, NoOpMeter

from shared.events.event import Event
from shared.events.topics import family_of
from shared.kit.messaging.messages import InboundMessage, Subscription
from shared.kit.relay.kafka_sender import KafkaBatchSender
from shared.kit.relay.outbox_rows import OutboxRow

Attributes = dict[str, str | int]
Kind = tuple[str, str | None]
"""A topic or family of topics, and a type of event: what is told of a row."""

METHODS: Final = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
OTHER: Final = "_OTHER"
"""What OpenTelemetry calls a value that is not one of those that are known: whatever a stranger wrote stays out."""

RELAY_GROUP: Final = "relay"
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Bounds of the buckets of every duration, as OpenTelemetry's conventions advise."""


class Instruments:
    """The counters and histograms of one service; its methods say what has happened."""

    def __init__(self, meter: Meter | None = None) -> None:
        self.connect(meter or NoOpMeter("handoff"))
        self.on = meter is not None

    def connect(self, meter: Meter) -> None:
        """Measure by this meter from now on."""
        self.on = True
        count = meter.create_counter
        self._consumed = count("messaging.client.consumed.messages", "{message}", "Messages that were read.")
        self._sent = count("messaging.client.sent.messages", "{message}", "Messages that were sent, or failed to be.")
        self._worked = count("handoff.consumer.messages", "{message}", "Messages that were worked on, and committed.")
        self._letters = count("handoff.dead_letters", "{message}", "Messages that were set aside.")
        self._narrowed = count("handoff.consumer.narrowed", "{batch}", "Batches that failed and were halved.")
        self._paused = count("handoff.consumer.pauses", "{pause}", "Pauses because something was away.")
        self._rows = count("handoff.outbox.rows", "{row}", "Rows that left the outbox.")
        self._relay_paused = count("handoff.relay.pauses", "{pause}", "Pauses of the relay.")
        self._processing = _seconds(meter, "messaging.process.duration", "Time for one batch, with its commit.")
        self._sending = _seconds(meter, "messaging.client.operation.duration", "Time until Kafka has a round of rows.")
        self._requests = _seconds(meter, "http.server.request.duration", "Time for a request.")

    def read(self, subscription: Subscription, count: int) -> None:
        """So many messages came from Kafka."""
        if self.on:
            self._consumed.add(count, _of(subscription, "poll"))

    @contextmanager
    def processing(self, subscription: Subscription) -> Iterator[None]:
        """Time the work on a batch, from its begin to its commit or failure."""
        began, failed = perf_counter(), _NOTHING
        try:
            yield
        except BaseException as error:
            failed = _failed(error)
            raise
        finally:
            if self.on:
                self._processing.record(perf_counter() - began, _of(subscription, "process") | failed)

    def worked(
        self, subscription: Subscription, messages: Sequence[InboundMessage[Any]], fresh: Sequence[InboundMessage[Any]]
    ) -> None:
        """Messages were worked on: those that are fresh are done, the others had been before."""
        if not self.on:
            return
        done = Counter(map(_type_of, fresh))
        repeated = Counter(map(_type_of, messages)) - done if len(messages) > len(fresh) else Counter()
        for outcome, types in ("done", done), ("repeated", repeated):
            for event_type, count in types.items():
                said: Attributes = {"handoff.event.type": event_type, "handoff.outcome": outcome}
                self._worked.add(count, consumer_attributes(subscription) | said)

    def set_aside(self, subscription: Subscription, count: int, error_type: str) -> None:
        """So many messages were set aside for an error of this class."""
        if self.on:
            self._letters.add(count, consumer_attributes(subscription) | {"error.type": error_type})

    def narrowed(self, subscription: Subscription, error: BaseException) -> None:
        """A batch failed, and its halves are tried."""
        if self.on:
            self._narrowed.add(1, consumer_attributes(subscription) | _failed(error))

    def paused(self, subscription: Subscription, error: BaseException) -> None:
        """A consumer waits until what it needs is back."""
        if self.on:
            self._paused.add(1, consumer_attributes(subscription) | _failed(error))

    def relay_paused(self, error: BaseException) -> None:
        """The relay waits until Kafka or the database is back."""
        if self.on:
            self._relay_paused.add(1, _failed(error))

    @contextmanager
    def sending(self, sending: KafkaBatchSender) -> Iterator[None]:
        """Time a block that sends rows, from when it gave the last of them to Kafka."""
        failed = _NOTHING
        try:
            yield
        except BaseException as error:
            failed = _failed(error)
            raise
        finally:
            if self.on and sending.rows:
                self._count_sent(sending.rows, failed)
                operation: Attributes = {"messaging.system": "kafka", "messaging.operation.name": "send"}
                self._sending.record(perf_counter() - sending.handed_over, operation | failed)

    def relayed(self, taken: Sequence[OutboxRow], sent: Sequence[OutboxRow], refused: Sequence[OutboxRow]) -> None:
        """A round of rows has left the outbox: most are sent, Kafka refused some, the rest was withheld."""
        if not (self.on and taken):
            return
        tried, never = _kinds(sent), _kinds(refused)
        withheld = _kinds(taken) - tried if len(taken) > len(sent) else Counter()
        for outcome, kinds in ("relayed", tried - never), ("withheld", withheld), ("refused", never):
            for kind, count in kinds.items():
                self._rows.add(count, _of_rows(kind) | {"handoff.outcome": outcome})
        for (family, _), count in never.items():
            group: Attributes = {"messaging.consumer.group.name": RELAY_GROUP, "error.type": "MessageSizeTooLarge"}
            self._letters.add(count, _destination(family) | group)

    def answered(self, scope: Mapping[str, Any], status: int, seconds: float, error: BaseException | None) -> None:
        """A request was answered, or failed with an error; known by its route's template, never by its path."""
        said: Attributes = {
            "http.request.method": scope["method"] if scope["method"] in METHODS else OTHER,
            "http.response.status_code": status,
            "url.scheme": "https" if scope.get("scheme") == "https" else "http",
        }
        if template := getattr(scope.get("route"), "path", None):
            said["http.route"] = template
        if error is not None or status >= 500:  # noqa: PLR2004 - the server's own errors begin here
            said["error.type"] = type(error).__name__ if error else str(status)
        self._requests.record(seconds, said)

    def _count_sent(self, rows: Sequence[OutboxRow], failed: Attributes) -> None:
        operation: Attributes = {"messaging.operation.name": "send", **failed}
        for kind, count in _kinds(rows).items():
            self._sent.add(count, _of_rows(kind) | operation)


def consumer_attributes(subscription: Subscription) -> Attributes:
    """Return what every figure of a consumer goes by: its group, and its topic or family of topics."""
    return _destination(subscription.spec.topic) | {"messaging.consumer.group.name": subscription.group}


_NOTHING: Attributes = {}
_TOPIC_AND_TYPE = attrgetter("topic", "event_type")


def _seconds(meter: Meter, name: str, description: str) -> Any:
    return meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=SECONDS)


def _of(subscription: Subscription, operation: str) -> Attributes:
    return consumer_attributes(subscription) | {"messaging.operation.name": operation}


def _destination(family: str) -> Attributes:
    """Name a topic, or a family of topics by its template: no agency is told from another."""
    kind = "template" if "{" in family else "name"
    return {"messaging.system": "kafka", f"messaging.destination.{kind}": family}


def _failed(error: BaseException) -> Attributes:
    return {"error.type": type(error).__name__}


def _type_of(message: InboundMessage[Any]) -> str:
    """Return the type of an event that its language has; what a tolerant reader let in may be called anything."""
    return OTHER if type(message.event) is Event else str(message.event.type)


def _kinds(rows: Iterable[OutboxRow]) -> Counter[Kind]:
    """Count rows by what is told of them."""
    kinds: Counter[Kind] = Counter()
    for (topic, event_type), count in Counter(map(_TOPIC_AND_TYPE, rows)).items():
        kinds[family_of(topic), event_type] += count
    return kinds


def _of_rows(kind: Kind) -> Attributes:
    family, event_type = kind
    return _destination(family) | ({"handoff.event.type": event_type} if event_type else {})
