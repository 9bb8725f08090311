"""Sends outbox rows to Kafka: one record batch for each partition, and a span for each row that is traced."""

import asyncio
from collections.abc import Iterable
from functools import partial
from time import perf_counter
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from opentelemetry.trace import Span, SpanKind

from shared.kit.kafka.clients import message_size, partition_of
from shared.kit.messaging.outbox import OutboxRow
from shared.kit.messaging.raw import RawMessage
from shared.kit.observability.traces import CASE_ID, is_sampled, start_span, traceparent_of
from shared.kit.relay.cloud_events import encode_row

MAX_MESSAGE_BYTES: Final = 1_048_576
"""With key and headers, as a batch of one message: Kafka's default, which no topic of ours raises."""

ACKNOWLEDGEMENT_SECONDS: Final = 15.0

TopicPartition = tuple[str, int]


class KafkaBatchSender:
    """Sends the rows of one relay batch, in order within a partition.

    `rows` are those that were given to the producer, the last of them at `flushed_at` (`perf_counter` seconds).
    """

    def __init__(self, producer: AIOKafkaProducer, source: bytes) -> None:
        self._producer = producer
        self.source = source
        self._partition_counts: dict[str, int] = {}
        self._open: dict[TopicPartition, Any] = {}
        self._acknowledgements: dict[TopicPartition, asyncio.Future[Any]] = {}
        self._spans: dict[TopicPartition, list[Span]] = {}
        self.rows: list[OutboxRow] = []
        self.flushed_at = perf_counter()

    async def add(self, row: OutboxRow) -> None:
        """Append a row to the open record batch of its partition; a full batch is sent.

        Raises:
            MessageSizeTooLargeError: Kafka would refuse the message, however often it is sent.
        """
        span = _start_span(row) if is_sampled(row.traceparent) else None
        message = encode_row(row, self.source, traceparent_of(span) if span else row.traceparent)
        # Checked here, because Kafka would refuse the whole record batch that holds the message.
        if message_size(*message) > MAX_MESSAGE_BYTES:
            raise MessageSizeTooLargeError
        target = row.topic, await self._partition(row.topic, message[0])
        await self._append(target, message)
        self.rows.append(row)
        if span:
            self._spans.setdefault(target, []).append(span)

    async def flush(self) -> None:
        """Send every open record batch; rows that are added later go into new ones behind them."""
        for target, batch in self._open.items():
            await self._send(target, batch)
        self._open.clear()
        self.flushed_at = perf_counter()

    async def wait_acknowledged(self) -> None:
        """Wait until Kafka has acknowledged all that was flushed."""
        async with asyncio.timeout(ACKNOWLEDGEMENT_SECONDS):
            await asyncio.gather(*self._acknowledgements.values())

    async def _partition(self, topic: str, key: bytes | None) -> int:
        count = self._partition_counts.get(topic)
        if count is None:
            count = self._partition_counts[topic] = len(await self._producer.partitions_for(topic))
        return partition_of(key or b"", count)

    async def _append(self, target: TopicPartition, message: RawMessage) -> None:
        batch = self._open.get(target)
        if batch is not None:
            if _fits(batch, message):
                return
            await self._send(target, batch)
        self._open[target] = batch = self._producer.create_batch()
        _fits(batch, message)  # an empty batch takes a message of any size

    async def _send(self, target: TopicPartition, batch: Any) -> None:
        """Send a record batch once Kafka has acknowledged the one before it.

        Two batches in flight would be quicker, but if the first fails and the second succeeds, the rows of the first
        are sent again behind those of the second: a case's events would change their order.
        """
        if target in self._acknowledgements:
            async with asyncio.timeout(ACKNOWLEDGEMENT_SECONDS):
                await self._acknowledgements[target]
        topic, partition = target
        acknowledgement = await self._producer.send_batch(batch, topic, partition=partition)
        self._acknowledgements[target] = acknowledgement
        if spans := self._spans.pop(target, None):
            acknowledgement.add_done_callback(partial(_end_spans, spans))


def _end_spans(spans: Iterable[Span], _: asyncio.Future[Any]) -> None:
    for span in spans:
        span.end()


def _fits(batch: Any, message: RawMessage) -> bool:
    """Append a message to a record batch, and return False if that is full."""
    key, value, headers = message
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None


def _start_span(row: OutboxRow) -> Span:
    return start_span(
        f"{row.topic} send",
        row.traceparent,
        SpanKind.PRODUCER,
        attributes={CASE_ID: row.case_id or "", "messaging.destination.name": row.topic},
    )
