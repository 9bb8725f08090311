"""Spans of a batch: one for its processing, linked to its messages, and one for each message that is sampled."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from opentelemetry.trace import Link, Span, SpanKind

from shared.kit.messaging.messages import InboundMessage, Subscription
from shared.kit.observability.traces import CASE_ID, context_of, is_sampled, start_span, traceparent_of

MAX_LINKS: Final = 64
"""The span of a batch is linked to so many messages at most."""


@contextmanager
def trace_batch(
    subscription: Subscription, messages: Sequence[InboundMessage[Any]]
) -> Iterator[list[InboundMessage[Any]]]:
    """Trace a block that processes these messages.

    It gives the messages back: each sampled one has the traceparent of its own span, so that the events it causes
    continue that span. Without a sampled message there are no spans, and no cost.
    """
    sampled = [message for message in messages if is_sampled(message.traceparent)]
    if not sampled:
        yield list(messages)
        return
    batch = _start_batch_span(subscription, messages, sampled)
    spans = {id(message): _start_message_span(subscription, message, batch) for message in sampled}
    try:
        yield [
            replace(message, traceparent=traceparent_of(spans[id(message)])) if id(message) in spans else message
            for message in messages
        ]
    finally:
        for span in spans.values():
            span.end()
        batch.end()


def _start_batch_span(
    subscription: Subscription, messages: Sequence[InboundMessage[Any]], sampled: Sequence[InboundMessage[Any]]
) -> Span:
    contexts = (context_of(message.traceparent) for message in sampled[:MAX_LINKS])
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


def _start_message_span(subscription: Subscription, message: InboundMessage[Any], batch: Span) -> Span:
    return start_span(
        f"{subscription.group} process {message.envelope.type}",
        message.traceparent,
        SpanKind.CONSUMER,
        links=[Link(batch.get_span_context())],
        attributes={CASE_ID: message.envelope.subject, "messaging.destination.name": message.topic},
    )
