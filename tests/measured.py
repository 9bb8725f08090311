"""Instruments whose figures a test can read, and a place that takes figures as a collector does."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared.kit.observability.instruments import Instruments
from shared.kit.observability.metrics_export import make_provider

Point = dict[str, Any]


class Measured:
    """Instruments, and what they have measured so far."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.meter = make_provider("kit", self._reader).get_meter("handoff")
        self.instruments = Instruments(self.meter)

    def points(self, name: str) -> list[Point]:
        """List the points of one instrument: its attributes, and its `value`, or `count` and `sum`."""
        found = self._reader.get_metrics_data()
        scopes = [scope for each in found.resource_metrics for scope in each.scope_metrics] if found else []
        metrics = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        return [_plain(point) for metric in metrics for point in metric.data.data_points]

    def values(self, name: str, *keys: str) -> dict[tuple[Any, ...], float]:
        """Return the values of one instrument by some of its attributes; of a duration, how often it was taken."""
        return {
            tuple(point.get(key) for key in keys): point["value"] if "value" in point else point["count"]
            for point in self.points(name)
        }


def _plain(point: Any) -> Point:
    figures = {name: getattr(point, name) for name in ("value", "count", "sum") if hasattr(point, name)}
    return {**(point.attributes or {}), **figures}


@dataclass
class Sink:
    """What was sent to a collector."""

    port: int
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the collector is, for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    def metrics(self) -> list[tuple[str, Any]]:
        """List every metric that came, in OTLP's own form, with the service that sent it."""
        requests = [ExportMetricsServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/metrics"]
        return [
            (_service(each.resource), metric)
            for request in requests
            for each in request.resource_metrics
            for scope in each.scope_metrics
            for metric in scope.metrics
        ]

    def names(self, service: str) -> set[str]:
        """Name the metrics of a service that came."""
        return {metric.name for sender, metric in self.metrics() if sender == service}


def _service(resource: Any) -> str:
    return next(str(each.value.string_value) for each in resource.attributes if each.key == "service.name")


@contextmanager
def otlp_sink() -> Iterator[Sink]:
    """Run a collector on a free port for the length of a block."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            sink.bodies.append((self.path, gzip.decompress(body) if packed else body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    sink = Sink(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
