"""The telemetry of one service, from its start to its end: traces, metrics, and the instruments that feed them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from shared.kit.observability.instruments import Instruments
from shared.kit.observability.metrics_export import MetricsExporter, start_metrics
from shared.kit.observability.traces import (
    CountingExporter,
    TraceExporter,
    export_to_collector,
    export_to_metrics_service,
    start_traces,
)
from shared.kit.service.gauges import Gauges
from shared.kit.service.settings import ServiceSettings

Loop = Callable[[], Awaitable[None]]
"""Background work of a service: it runs until it is cancelled."""


class Observability:
    """Starts and ends traces and metrics; its `instruments` measure nothing before that."""

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        self.instruments = Instruments()
        self._service = service
        self._settings = settings
        self._traces = TraceExporter(None, None)
        self._metrics = MetricsExporter(None)

    @asynccontextmanager
    async def running(self, gauges: Gauges) -> AsyncIterator[Sequence[Loop]]:
        """Trace and measure during a block, as the settings say; gives the loops that must run meanwhile."""
        self._traces = start_traces(self._service, span_exporter(self._settings), self._settings.trace_rate)
        self._metrics = start_metrics(self._service, self._settings.otlp_endpoint)
        meter = self._metrics.meter
        if meter is not None:
            self.instruments.connect(meter)
            gauges.connect(meter)
        try:
            yield [gauges.run] if meter is not None else []
        finally:
            await self._shutdown()

    def dropped_spans(self) -> int:
        """Return how many spans were lost since the start."""
        return self._traces.dropped()

    async def _shutdown(self) -> None:
        """Export what is left, for two seconds at most; in threads, as OpenTelemetry's shutdown blocks."""
        await asyncio.gather(asyncio.to_thread(self._traces.shutdown), asyncio.to_thread(self._metrics.shutdown))


def span_exporter(settings: ServiceSettings) -> CountingExporter | None:
    """Return where spans go: to a collector, else to the metrics service; None if neither is set."""
    if settings.otlp_endpoint:
        return export_to_collector()
    if settings.spans_url:
        return export_to_metrics_service(settings.spans_url, settings.staff_key.get_secret_value())
    return None
