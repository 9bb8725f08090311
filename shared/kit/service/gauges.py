"""What an exporter finds when it looks: how much waits and how long, who has stopped, how many spans were lost.

What must be asked for is asked by a loop of the service, every few seconds; the exporter's thread only reads the
answers. What could not be asked is not shown: an old figure would look like a new one.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import TRANSIENT_ERRORS
from shared.kit.observability.instruments import consumer_attributes
from shared.kit.relay.relay import Relay

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0

Observe = Callable[[CallbackOptions], Iterable[Observation]]


class Gauges:
    """The gauges of one service."""

    def __init__(self, relay: Relay, consumption: ConsumerSupervisor, dropped_spans: Callable[[], int]) -> None:
        self._relay = relay
        self._consumption = consumption
        self._dropped_spans = dropped_spans
        self._oldest: float | None = None
        self._lags: list[Observation] = []

    def connect(self, meter: Meter) -> None:
        """Let this meter's readers look."""
        gauge = meter.create_observable_gauge
        gauge("handoff.outbox.oldest_age", [self._observe_oldest], "s", "Age of the oldest row that waits.")
        gauge("handoff.consumer.lag", [self._observe_lags], "{message}", "Messages that wait in Kafka.")
        gauge("handoff.consumer.halted", [self._observe_halted], "{consumer}", "Consumers that stopped on purpose.")
        meter.create_observable_counter(
            "handoff.spans.dropped", [self._observe_spans], "{span}", "Spans that were lost."
        )

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask for what an exporter's thread cannot ask for."""
        self._lags = [
            Observation(lag, consumer_attributes(subscription)) for subscription, lag in await self._consumption.lags()
        ]
        try:
            self._oldest = await self._relay.oldest_seconds()
        except TRANSIENT_ERRORS as error:
            self._oldest = None
            log.debug("the age of the outbox is not known: %s", type(error).__name__)

    def _observe_oldest(self, _: CallbackOptions) -> list[Observation]:
        return [] if self._oldest is None else [Observation(self._oldest)]

    def _observe_lags(self, _: CallbackOptions) -> list[Observation]:
        return self._lags

    def _observe_halted(self, _: CallbackOptions) -> list[Observation]:
        return [
            Observation(halted, consumer_attributes(subscription))
            for subscription, halted in self._consumption.halted()
        ]

    def _observe_spans(self, _: CallbackOptions) -> list[Observation]:
        return [Observation(self._dropped_spans())]
