"""Offsets of processed batches, committed a few times a second: a commit for each batch costs as much as a small batch.

Batches that were not committed when a process ends are read again by the next owner of their partition, and the inbox
absorbs them.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream.kafka.message import KafkaAckableMessage

log = logging.getLogger(__name__)

AnyRecord = ConsumerRecord[Any, Any]

COMMIT_SECONDS = 0.25
"""The delay between the end of a batch and the commit of its offsets."""

COMMIT_TIMEOUT_SECONDS = 2.0


class OffsetCommitter:
    """Commits the offsets of one consumer."""

    def __init__(self) -> None:
        self._consumer: AIOKafkaConsumer | None = None
        self._processed: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def mark_processed(self, consumer: AIOKafkaConsumer, records: Iterable[AnyRecord]) -> None:
        """Let the offsets of these records be committed soon."""
        if self._closed:
            return
        self._consumer = consumer
        for record in records:
            self._processed[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_soon())

    async def close(self) -> None:
        """Commit what is processed, and nothing after that: the consumer is about to stop."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._commit()

    async def _commit_soon(self) -> None:
        while self._processed:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
        consumer = self._consumer
        if consumer is None or not self._processed:
            return
        processed, self._processed = self._processed, {}
        # A partition that was revoked belongs to another consumer, which may have committed a higher offset.
        ours = consumer.assignment()
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT_SECONDS):
                await consumer.commit({part: offset for part, offset in processed.items() if part in ours})
        except (KafkaError, IllegalStateError, TimeoutError) as error:  # a rebalance, or Kafka is unavailable
            log.info("offset commit failed, retried later: %s", type(error).__name__)
            # Newer offsets, marked while the commit was under way, take precedence.
            self._processed = processed | self._processed


class DeferredAck(KafkaAckableMessage):
    """A batch as FastStream sees it; its acknowledgement lets an OffsetCommitter commit it later, with others."""

    def __init__(self, committer: OffsetCommitter, consumer: AIOKafkaConsumer, records: Sequence[AnyRecord]) -> None:
        super().__init__(body=b"", raw_message=tuple(records), consumer=consumer)
        self.records = records
        self._mark_processed = partial(committer.mark_processed, consumer, records)

    async def ack(self) -> None:
        """Mark the batch as processed."""
        if not self.committed:
            self._mark_processed()
        # Internal to FastStream: skips KafkaAckableMessage.ack, which commits every position of the consumer at once.
        await super(KafkaAckableMessage, self).ack()
