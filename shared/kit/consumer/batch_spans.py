"""Spans for batches: one for the work, linked to what it works on, and one for each message that is sampled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from opentelemetry.trace import Link, Span, SpanKind

from shared.kit.messaging.messages import InboundMessage, Subscription
from shared.kit.observability.traces import CASE_ID, context_of, is_sampled, start_span, traceparent_of

LINKS = 64
"""Messages that the span of a batch is linked to, at most."""


@contextmanager
def trace_batch(
    subscription: Subscription, messages: Sequence[InboundMessage[Any]]
) -> Iterator[list[InboundMessage[Any]]]:
    """Run a block as the work on these messages; each sampled one carries its own span's traceparent on."""
    sampled = [message for message in messages if is_sampled(message.traceparent)]
    if not sampled:
        yield list(messages)
        return
    batch = _batch_span(subscription, messages, sampled)
    spans = {id(message): _message_span(subscription, message, batch) for message in sampled}
    try:
        yield [
            replace(message, traceparent=traceparent_of(spans[id(message)])) if id(message) in spans else message
            for message in messages
        ]
    finally:
        for span in spans.values():
            span.end()
        batch.end()


def _batch_span(
    subscription: Subscription, messages: Sequence[InboundMessage[Any]], sampled: Sequence[InboundMessage[Any]]
) -> Span:
    contexts = (context_of(message.traceparent) for message in sampled[:LINKS])
    return start_span(
        f"{subscription.group} batch",
        None,
        links=[Link(context) for context in contexts if context],
        attributes={
            "messaging.batch.message_count": len(messages),
            "messaging.destination.name": subscription.spec.topic,
            "messaging.consumer.group.name": subscription.group,
        },
    )


def _message_span(subscription: Subscription, message: InboundMessage[Any], batch: Span) -> Span:
    return start_span(
        f"{subscription.group} hears {message.envelope.type}",
        message.traceparent,
        SpanKind.CONSUMER,
        links=[Link(batch.get_span_context())],
        attributes={CASE_ID: message.envelope.subject, "messaging.destination.name": message.topic},
    )
