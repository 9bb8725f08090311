"""Export of metrics to a collector, if there is one. No failure of it affects the service."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

log = logging.getLogger(__name__)

EXPORT_TIMEOUT_SECONDS: Final = 1.0
SHUTDOWN_MILLISECONDS: Final = 2000


@dataclass(frozen=True, slots=True)
class MetricsExporter:
    """Collects and exports the metrics of one process; without a collector it does nothing."""

    provider: MeterProvider | None

    @property
    def meter(self) -> Meter | None:
        """The meter to connect instruments to; None without a collector."""
        return self.provider.get_meter("handoff") if self.provider else None

    def shutdown(self) -> None:
        """Export the last values; takes two seconds at most."""
        if self.provider is not None:
            try:
                self.provider.shutdown(SHUTDOWN_MILLISECONDS)
            except Exception as error:  # noqa: BLE001 - lost metrics are no reason to fail the shutdown
                log.warning("last metrics not exported: %s", type(error).__name__)


@lru_cache
def resource_of(service: str) -> Resource:
    """Return what identifies this process in telemetry: its service and a random id, as several count side by side."""
    named = {"service.name": service, "service.namespace": "handoff", "service.instance.id": str(uuid4())}
    return Resource.create(named)


def start_metrics(service: str, collector: str | None) -> MetricsExporter:
    """Start to export metrics each minute, or every OTEL_METRIC_EXPORT_INTERVAL milliseconds.

    `collector` is OTEL_EXPORTER_OTLP_ENDPOINT, which OpenTelemetry reads itself; None switches metrics off.
    """
    if not collector:
        return MetricsExporter(None)
    try:
        exporter = OTLPMetricExporter(timeout=EXPORT_TIMEOUT_SECONDS)
        reader = PeriodicExportingMetricReader(exporter, export_timeout_millis=EXPORT_TIMEOUT_SECONDS * 1000)
        return MetricsExporter(make_provider(service, reader))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with OpenTelemetry's settings, the service runs
        log.warning("metrics disabled: %s", type(error).__name__)
        return MetricsExporter(None)


def make_provider(service: str, reader: MetricReader) -> MeterProvider:
    """Return what a reader collects from; without exemplars, as those link a figure to the trace of a single case."""
    return MeterProvider([reader], resource_of(service), AlwaysOffExemplarFilter(), shutdown_on_exit=False)
