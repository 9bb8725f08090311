"""Kafka with safe settings: consumers by FastStream, at least once; a producer that is acknowledged and idempotent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLScram512

from shared.kit.consumer.consumer import Consumer
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.offsets import DeferredAck, OffsetCommitter
from shared.kit.messaging.messages import Record

PATIENCE_MS = 1_000
"""How long a consumer waits for records before it sees to it that it is still wanted."""

LONGEST_FETCH_MS = 500
"""How long Kafka keeps a question for records that it has no answer to."""

ENOUGH_BYTES = 65_536
"""A consumer that rests is told of so much at once, or of what has come in the length of its rest."""

REQUEST_TIMEOUT_MS = 10_000
HEARTBEAT_MS = 500
"""How soon a consumer notices that another wants to join its group, and lets it."""

ABORT_SECONDS = 2.0

METADATA_AGE_MS = 15_000
"""How soon a new agency's topic is noticed."""


def make_broker(kafka: KafkaAccess, client: str) -> KafkaBroker:
    """Make a broker that never creates topics, and gives a failed batch again instead of skipping it."""
    return KafkaBroker(
        kafka.servers,
        security=_security(kafka),
        client_id=client,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        consumer_only=True,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        graceful_timeout=10,
        apply_types=False,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
    )


class BlockingPollConsumer(AIOKafkaConsumer):
    """A consumer that waits until there are records.

    FastStream sleeps after each look that finds nothing: what comes meanwhile would wait, and idle consumers would wake
    for nothing a hundred times a second.
    """

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        """Return the next records, as soon as there are some.

        Raises:
            ConsumerStoppedError: the consumer was stopped.
        """
        while True:
            found = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
            if found:
                return found


async def start_broker(broker: KafkaBroker) -> None:
    """Start a broker with its consumers."""
    await broker.connect()
    settings = broker.config.broker_config
    settings.builder = partial(BlockingPollConsumer, **cast("partial[Any]", settings.builder).keywords)
    await broker.start()


def _security(kafka: KafkaAccess) -> BaseSecurity:
    context = kafka.ssl_context()
    if not kafka.user:
        return BaseSecurity(context)
    return SASLScram512(kafka.user, kafka.password, context, use_ssl=context is not None)


def subscribe(broker: KafkaBroker, consumer: Consumer, batch_size: int, commits: OffsetCommitter) -> Any:
    """Subscribe one consumer; it is given raw records, so that one bad record cannot fail its batch."""
    topic, interval = consumer.subscription.spec.topic, consumer.subscription.min_batch_interval
    family = "{agency}" in topic
    subscriber = broker.subscriber(
        *(() if family else (topic,)),
        pattern=consumer.subscription.spec.pattern.pattern if family else None,
        group_id=consumer.subscription.group,
        batch=True,
        max_records=batch_size,
        batch_timeout_ms=PATIENCE_MS,
        fetch_min_bytes=ENOUGH_BYTES if interval else 1,
        fetch_max_wait_ms=int(interval * 1000) if interval else LONGEST_FETCH_MS,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        rebalance_timeout_ms=30_000,
        heartbeat_interval_ms=HEARTBEAT_MS,
        parser=_raw_parser(lambda: subscriber, commits),
        decoder=_raw_decoder,
    )
    subscriber(consumer.__call__)
    return subscriber


def _raw_parser(
    subscriber: Callable[[], Any], commits: OffsetCommitter
) -> Callable[[tuple[Record, ...]], Awaitable[DeferredAck]]:
    """Wrap a batch without looking into it: FastStream's own parser fails on a header that is not text."""

    async def parse(records: tuple[Record, ...]) -> DeferredAck:
        return DeferredAck(commits, subscriber().consumer, records)

    return parse


async def _raw_decoder(message: DeferredAck) -> Sequence[Record]:
    return message.records


def make_producer(kafka: KafkaAccess, client: str) -> AIOKafkaProducer:
    """Make a producer that waits for every replica, keeps order, and does not send twice by itself."""
    return AIOKafkaProducer(
        **kafka.client(),
        client_id=client,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=262_144,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=METADATA_AGE_MS,
    )


async def abort_producer(producer: AIOKafkaProducer) -> None:
    """Let a producer go within some seconds; what it has not sent by then it never will.

    Stopping alone does not do that: while Kafka does not answer, an idempotent producer that was stopped goes on to
    try for as long as the process lives.
    """
    sender = producer._sender.sender_task  # noqa: SLF001 - there is no other way to it
    if sender is not None:
        sender.cancel()
        await asyncio.wait([sender], timeout=ABORT_SECONDS)
        sender.cancel()
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(ABORT_SECONDS):
            await producer.stop()
