"""Rows of the outbox on their way to Kafka: a batch for each partition, and a span for each row that is traced."""

import asyncio
from collections.abc import Iterable
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from opentelemetry.trace import Span, SpanKind

from shared.kit.dead_letters.dead_letters import Raw
from shared.kit.observability.traces import CASE_ID, is_sampled, start_span, traceparent_of
from shared.kit.relay.outbox_rows import OutboxRow, frame

LARGEST_MESSAGE_BYTES: Final = 1_048_576
"""With its headers, and as a batch of one: what Kafka takes unless a topic says otherwise."""

ACKNOWLEDGED_WITHIN_SECONDS: Final = 15.0

Place = tuple[str, int]
"""A topic, and one of its partitions."""

_KEYS_KEPT: Final = 4096
_choose = DefaultPartitioner()


class KafkaBatchSender:
    """One round of rows; `rows` are those that were given to the producer, the last of them at `handed_over`."""

    def __init__(self, producer: AIOKafkaProducer, source: bytes) -> None:
        self._producer = producer
        self.source = source
        self._partitions: dict[str, int] = {}
        self._batches: dict[Place, Any] = {}
        self._promises: dict[Place, asyncio.Future[Any]] = {}
        self._spans: dict[Place, list[Span]] = {}
        self.rows: list[OutboxRow] = []
        self.handed_over = perf_counter()

    async def add(self, row: OutboxRow) -> None:
        """Put a row into the batch of its partition, behind those that came before it; a full batch is sent.

        Raises:
            MessageSizeTooLargeError: Kafka will never take it.
        """
        span = _span(row) if is_sampled(row.traceparent) else None
        message = frame(row, self.source, traceparent_of(span) if span else row.traceparent)
        if _size_of(message) > LARGEST_MESSAGE_BYTES:
            raise MessageSizeTooLargeError
        place = row.topic, await self._partition(row.topic, message[0])
        await self._put(place, message)
        self.rows.append(row)
        if span:
            self._spans.setdefault(place, []).append(span)

    async def hand_over(self) -> None:
        """Send what has not been sent; what is added later goes behind it."""
        for place, batch in self._batches.items():
            await self._send(place, batch)
        self._batches.clear()
        self.handed_over = perf_counter()

    async def finish(self) -> None:
        """Wait until Kafka has all that was handed over."""
        async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
            await asyncio.gather(*self._promises.values())

    async def _partition(self, topic: str, key: bytes | None) -> int:
        count = self._partitions.get(topic)
        if count is None:
            count = self._partitions[topic] = len(await self._producer.partitions_for(topic))
        return _partition_of(key or b"", count)

    async def _put(self, place: Place, message: Raw) -> None:
        batch = self._batches.get(place)
        if batch is not None:
            if _append(batch, message):
                return
            await self._send(place, batch)
        self._batches[place] = batch = self._producer.create_batch()
        _append(batch, message)

    async def _send(self, place: Place, batch: Any) -> None:
        """Send a batch once Kafka has the one before it: if that one fails, this one must not have overtaken it."""
        if place in self._promises:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
                await self._promises[place]
        topic, partition = place
        promise = self._promises[place] = await self._producer.send_batch(batch, topic, partition=partition)
        if spans := self._spans.pop(place, None):
            promise.add_done_callback(partial(_end, spans))


def _end(spans: Iterable[Span], _: asyncio.Future[Any]) -> None:
    for span in spans:
        span.end()


def _size_of(message: Raw) -> int:
    key, value, headers = message
    return int(DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, list(headers)))


@lru_cache(_KEYS_KEPT)
def _partition_of(key: bytes, count: int) -> int:
    """Return where a key goes, as every client of Kafka chooses; kept, as most cases have several rows in a round."""
    return int(_choose(key, range(count), ()))


def _append(batch: Any, message: Raw) -> bool:
    """Put a message into a batch, unless that is full; an empty one takes any."""
    key, value, headers = message
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None


def _span(row: OutboxRow) -> Span:
    return start_span(
        f"{row.topic} send",
        row.traceparent,
        SpanKind.PRODUCER,
        attributes={CASE_ID: row.case_id or "", "messaging.destination.name": row.topic},
    )
