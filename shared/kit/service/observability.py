"""All that one service is seen by, from its start to its end: traces, metrics, and the instruments that feed them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from shared.kit.observability.instruments import Instruments
from shared.kit.observability.metrics_export import MetricsExporter, start_metrics
from shared.kit.observability.traces import TraceExporter, start_traces
from shared.kit.service.gauges import Gauges
from shared.kit.service.settings import ServiceSettings

Loop = Callable[[], Awaitable[None]]
"""Work that goes on for as long as the service runs, and ends when it is cancelled."""


class Observability:
    """Starts and ends traces and metrics; `instruments` may be used before, and measure nothing then."""

    def __init__(self, service: str, settings: ServiceSettings) -> None:
        self.instruments = Instruments()
        self._service = service
        self._settings = settings
        self._traces = TraceExporter(None, None)
        self._metering = MetricsExporter(None)

    @asynccontextmanager
    async def through(self, gauges: Gauges) -> AsyncIterator[Sequence[Loop]]:
        """Trace and measure for the length of a block, as the settings ask; gives what must run meanwhile."""
        self._traces = start_traces(self._service, self._settings)
        self._metering = start_metrics(self._service, self._settings)
        meter = self._metering.meter
        if meter is not None:
            self.instruments.connect(meter)
            gauges.connect(meter)
        try:
            yield [gauges.run] if meter is not None else []
        finally:
            await self._shutdown()

    def dropped_spans(self) -> int:
        """Count the spans that were lost since the start."""
        return self._traces.dropped()

    async def _shutdown(self) -> None:
        """Send what is left, for a second or two at most."""
        await asyncio.gather(asyncio.to_thread(self._traces.shutdown), asyncio.to_thread(self._metering.shutdown))
