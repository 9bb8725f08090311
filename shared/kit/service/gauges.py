"""Gauges: consumer lag, age of the outbox, stopped consumers, lost spans.

A loop of the service polls what needs a query; the exporter's thread only reads the results. A value that could not be
polled is not exported: an old one would look like a new one.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import TRANSIENT_ERRORS
from shared.kit.messaging.messages import Subscription
from shared.kit.observability.instruments import consumer_attributes
from shared.kit.relay.relay import Relay

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 5.0


class Gauges:
    """The gauges of one service."""

    def __init__(self, relay: Relay, consumers: ConsumerSupervisor, dropped_spans: Callable[[], int]) -> None:
        self._relay = relay
        self._consumers = consumers
        self._dropped_spans = dropped_spans
        self._oldest_age: float | None = None
        self._lags: list[Observation] = []

    def connect(self, meter: Meter) -> None:
        """Let the readers of this meter observe the gauges."""
        gauge = meter.create_observable_gauge
        gauge("handoff.outbox.oldest_age", [self._observe_oldest_age], "s", "Age of the oldest unpublished row.")
        gauge("handoff.consumer.lag", [self._observe_lags], "{message}", "Messages that wait in Kafka.")
        gauge("handoff.consumer.halted", [self._observe_stopped], "{consumer}", "Consumers stopped by dead letters.")
        meter.create_observable_counter("handoff.spans.dropped", [self._observe_spans], "{span}", "Lost spans.")

    async def run(self) -> None:
        """Poll every few seconds until cancelled."""
        while True:
            await self.poll()
            await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> None:
        """Query what the exporter's thread cannot query."""
        self._lags = _observations(await self._consumers.list_lags())
        try:
            self._oldest_age = await self._relay.oldest_age()
        except TRANSIENT_ERRORS as error:
            self._oldest_age = None
            log.debug("age of the outbox unknown: %s", type(error).__name__)

    def _observe_oldest_age(self, _: CallbackOptions) -> list[Observation]:
        return [] if self._oldest_age is None else [Observation(self._oldest_age)]

    def _observe_lags(self, _: CallbackOptions) -> list[Observation]:
        return self._lags

    def _observe_stopped(self, _: CallbackOptions) -> list[Observation]:
        return _observations(self._consumers.stopped())

    def _observe_spans(self, _: CallbackOptions) -> list[Observation]:
        return [Observation(self._dropped_spans())]


def _observations(figures: Iterable[tuple[Subscription, int]]) -> list[Observation]:
    return [
        Observation(figure, consumer_attributes(subscription.group, subscription.spec.topic))
        for subscription, figure in figures
    ]
