"""Metrics: to a collector where there is one, else nowhere. Never a cause of failure."""

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

from shared.kit.service.settings import ServiceSettings

log = logging.getLogger(__name__)

EXPORT_TIMEOUT_SECONDS: Final = 1.0
SHUTDOWN_MILLISECONDS: Final = 2000


@dataclass(frozen=True, slots=True)
class MetricsExporter:
    """What one service has running to be measured by."""

    provider: MeterProvider | None

    @property
    def meter(self) -> Meter | None:
        """The meter to connect instruments to; None where nobody collects."""
        return self.provider.get_meter("handoff") if self.provider else None

    def shutdown(self) -> None:
        """Send the last figures, for a second or two at most."""
        if self.provider is not None:
            try:
                self.provider.shutdown(SHUTDOWN_MILLISECONDS)
            except Exception as error:  # noqa: BLE001 - figures that are lost are no reason to end badly
                log.warning("the last figures were not sent: %s", type(error).__name__)


@lru_cache
def resource_of(service: str) -> Resource:
    """Say who speaks: the service, and this process of it, for several count side by side."""
    named = {"service.name": service, "service.namespace": "handoff", "service.instance.id": str(uuid4())}
    return Resource.create(named)


def start_metrics(service: str, settings: ServiceSettings) -> MetricsExporter:
    """Start to export what this process measures, each minute or as OTEL_METRIC_EXPORT_INTERVAL says (milliseconds)."""
    if not settings.otlp_endpoint:
        return MetricsExporter(None)
    try:
        exporter = OTLPMetricExporter(timeout=EXPORT_TIMEOUT_SECONDS)
        reader = PeriodicExportingMetricReader(exporter, export_timeout_millis=EXPORT_TIMEOUT_SECONDS * 1000)
        return MetricsExporter(make_provider(service, reader))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with OpenTelemetry's settings, the service runs
        log.warning("nothing is measured: %s", type(error).__name__)
        return MetricsExporter(None)


def make_provider(service: str, reader: MetricReader) -> MeterProvider:
    """Make what a reader collects from; without exemplars, for these point from a figure at single cases."""
    return MeterProvider([reader], resource_of(service), AlwaysOffExemplarFilter(), shutdown_on_exit=False)
