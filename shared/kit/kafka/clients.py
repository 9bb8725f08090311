"""Kafka clients with safe settings: consumers by FastStream, at least once; an idempotent producer with acks=all.

This package is the only code that relies on the internals of FastStream and aiokafka: on attributes and modules that
their documentation does not list. Each such place says so; look at them when a version changes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLScram512

from shared.events.topics import TopicSpec
from shared.kit.kafka.access import KafkaAccess
from shared.kit.kafka.offsets import AnyRecord, DeferredAck, OffsetCommitter

log = logging.getLogger(__name__)

POLL_MS: Final = 1_000
"""How long a consumer waits for records before it looks whether it was stopped."""

FETCH_WAIT_MS: Final = 500
"""How long the broker holds a fetch request that finds no records."""

INTERVAL_FETCH_BYTES: Final = 65_536
"""The broker answers a consumer with a batch interval once it has so many bytes, or when the interval is over."""

REQUEST_TIMEOUT_MS: Final = 10_000
HEARTBEAT_MS: Final = 500
"""How soon a consumer takes part in a rebalance that another one has started."""

ABORT_SECONDS: Final = 2.0
STOP_SECONDS: Final = 12.0
POSITION_SECONDS: Final = 1.0
"""How long list_lags() waits for the position of a consumer that was assigned a partition just now."""

METADATA_AGE_MS: Final = 15_000
"""How soon a new agency's topic is found."""

_CACHED_KEYS: Final = 4096

RecordHandler = Callable[[Sequence[AnyRecord]], Awaitable[None]]
"""Processes one batch of records; when it raises, the batch is delivered again."""


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """What one consumer reads; a family of topics (`agency.{agency}...`) is subscribed to by its pattern.

    `min_batch_interval` is in seconds: with one, the broker collects records for as long before it answers.
    """

    group: str
    spec: TopicSpec
    batch_size: int = 500
    min_batch_interval: float = 0.0


def make_broker(kafka: KafkaAccess, client: str) -> KafkaBroker:
    """Return a broker that never creates topics, and delivers a failed batch again instead of skipping it."""
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
        ack_policy=AckPolicy.NACK_ON_ERROR,  # FastStream's default commits before the handler runs
        graceful_timeout=10,
        apply_types=False,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
    )


def _security(kafka: KafkaAccess) -> BaseSecurity:
    context = kafka.ssl_context()
    if not kafka.user:
        return BaseSecurity(context)
    return SASLScram512(kafka.user, kafka.password, context, use_ssl=context is not None)


class BlockingPollConsumer(AIOKafkaConsumer):
    """A consumer whose `getmany` returns only when there are records.

    FastStream sleeps after each poll that returns nothing: records that arrive meanwhile would wait, and idle consumers
    would wake up a hundred times a second.
    """

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[AnyRecord]]:
        """Return the next records as soon as there are some.

        Raises:
            ConsumerStoppedError: the consumer was stopped.
        """
        while True:
            found = await super().getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
            if found:
                return found


async def start_broker(broker: KafkaBroker) -> None:
    """Connect a broker and start its consumers."""
    await broker.connect()
    # Internal to FastStream: `builder` is a partial of AIOKafkaConsumer, set by connect(), by which start() makes each
    # consumer. FastStream offers no other way to give it a consumer class.
    settings = broker.config.broker_config
    settings.builder = partial(BlockingPollConsumer, **cast("partial[Any]", settings.builder).keywords)
    await broker.start()


async def stop_broker(broker: KafkaBroker, committers: Sequence[OffsetCommitter]) -> None:
    """Commit what is processed, then stop a broker and its consumers, which leave their groups."""
    await asyncio.gather(*(committer.close() for committer in committers))
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await broker.stop()
    except (KafkaError, TimeoutError, OSError) as error:
        log.warning("Kafka consumers did not stop cleanly: %s", type(error).__name__)


def subscribe(broker: KafkaBroker, options: ConsumerOptions, committer: OffsetCommitter, handle: RecordHandler) -> Any:
    """Subscribe a handler to raw records, and return FastStream's subscriber.

    Records are raw, so that one that cannot be decoded does not fail its batch.
    """
    topic, interval = options.spec.topic, options.min_batch_interval
    is_family = "{agency}" in topic
    subscriber = broker.subscriber(
        *(() if is_family else (topic,)),
        pattern=options.spec.pattern.pattern if is_family else None,
        group_id=options.group,
        batch=True,
        max_records=options.batch_size,
        batch_timeout_ms=POLL_MS,
        fetch_min_bytes=INTERVAL_FETCH_BYTES if interval else 1,
        fetch_max_wait_ms=int(interval * 1000) if interval else FETCH_WAIT_MS,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        rebalance_timeout_ms=30_000,
        heartbeat_interval_ms=HEARTBEAT_MS,
        parser=_raw_parser(lambda: subscriber, committer),
        decoder=_raw_decoder,
    )
    subscriber(handle)
    return subscriber


def _raw_parser(
    subscriber: Callable[[], Any], committer: OffsetCommitter
) -> Callable[[tuple[AnyRecord, ...]], Awaitable[DeferredAck]]:
    """Return a parser that leaves records as they are: FastStream's own fails on a header that is not text."""

    async def parse(records: tuple[AnyRecord, ...]) -> DeferredAck:
        # subscriber() is called late: the consumer exists only once the broker has started.
        return DeferredAck(committer, subscriber().consumer, records)

    return parse


async def _raw_decoder(message: DeferredAck) -> Sequence[AnyRecord]:
    return message.records


def is_running(subscriber: Any) -> bool:
    """Return True while a subscriber's poll loop runs. It may have no partition: there may be spare replicas."""
    # Internal to FastStream: `tasks` are its poll loops. Its ping() stays true when they are dead.
    return subscriber.consumer is not None and bool(subscriber.tasks) and not any(t.done() for t in subscriber.tasks)


async def list_lags(subscriber: Any) -> list[int]:
    """Return for each partition of a subscriber how many messages wait, by the broker's last answer to a fetch."""
    consumer, found = subscriber.consumer, []
    for partition in consumer.assignment() if consumer is not None else ():
        with suppress(IllegalStateError, KafkaError, TimeoutError):  # the partition was revoked meanwhile
            async with asyncio.timeout(POSITION_SECONDS):
                position = await consumer.position(partition)
            end = consumer.highwater(partition)
            found += [] if end is None else [max(0, end - position)]
    return found


def make_producer(kafka: KafkaAccess, client: str) -> AIOKafkaProducer:
    """Return a producer that waits for all replicas, keeps the order of a partition, and does not send twice."""
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
    """Stop a producer within twice ABORT_SECONDS; records that it has not sent by then are dropped.

    stop() alone does not do that: while Kafka does not answer, a stopped idempotent producer retries for as long as the
    process lives.
    """
    # Internal to aiokafka: the task that sends and retries. When it is cancelled, it waits for the requests under way,
    # which may never end; the second cancel ends that wait.
    sender = producer._sender.sender_task  # noqa: SLF001 - aiokafka offers no other way
    if sender is not None:
        sender.cancel()
        await asyncio.wait([sender], timeout=ABORT_SECONDS)
        sender.cancel()
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(ABORT_SECONDS):
            await producer.stop()


def message_size(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> int:
    """Return the size in bytes of a record batch that holds this message alone, at most."""
    # Internal to aiokafka: its own estimate, the one by which a producer refuses a message.
    return int(DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, list(headers)))


_partitioner: Final = DefaultPartitioner()  # internal to aiokafka: murmur2, as Kafka's Java client partitions by key


@lru_cache(_CACHED_KEYS)
def partition_of(key: bytes, count: int) -> int:
    """Return the partition of a key among `count`, as every Kafka client chooses it.

    It is cached: aiokafka hashes in Python, and a relay batch has several events of most cases.
    """
    return int(_partitioner(key, range(count), ()))
