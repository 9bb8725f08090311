"""One row of the outbox on its way to Kafka, with the span of its trace."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from opentelemetry.trace import Span, SpanKind

from shared.kit.outbox_rows import Row, frame
from shared.kit.telemetry import CASE_ID, is_sampled, start_span, traceparent_of


@dataclass(slots=True)
class Sending:
    """One row on its way: the producer's promise, and the span that ends when it is kept."""

    row: Row
    promise: "asyncio.Future[Any]"
    span: Span | None


async def start_sending(producer: AIOKafkaProducer, row: Row, source: bytes) -> Sending:
    """Give a row to the producer.

    Raises:
        MessageSizeTooLargeError: Kafka will never take it.
    """
    span = _span(row) if is_sampled(row.traceparent) else None
    key, value, headers = frame(row, source, traceparent_of(span) if span else row.traceparent)
    promise = await producer.send(row.topic, value, key, headers=headers)
    return Sending(row, promise, span)


def _span(row: Row) -> Span:
    return start_span(
        f"{row.topic} send",
        row.traceparent,
        SpanKind.PRODUCER,
        attributes={CASE_ID: str(row.case_id), "messaging.destination.name": row.topic},
    )
