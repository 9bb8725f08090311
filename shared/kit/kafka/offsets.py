"""Offsets of finished work, committed a few times a second: a commit for each batch costs as much as a small batch.

What was not committed when a process ends is read again by whoever comes next, and absorbed by the inbox.
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
"""How long finished work may wait for its commit."""

COMMIT_WITHIN_SECONDS = 2.0


class OffsetCommitter:
    """The offsets that one consumer has to commit."""

    def __init__(self) -> None:
        self._consumer: AIOKafkaConsumer | None = None
        self._finished: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def note(self, consumer: AIOKafkaConsumer, records: Iterable[AnyRecord]) -> None:
        """Note that all work on these records is finished; they are committed soon."""
        if self._closed:
            return
        self._consumer = consumer
        for record in records:
            self._finished[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_soon())

    async def close(self) -> None:
        """Commit what is finished, and nothing from now on: the consumer is going to stop."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._commit()

    async def _commit_soon(self) -> None:
        while self._finished:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
        consumer = self._consumer
        if consumer is None or not self._finished:
            return
        finished, self._finished = self._finished, {}
        ours = consumer.assignment()
        try:
            async with asyncio.timeout(COMMIT_WITHIN_SECONDS):
                await consumer.commit({part: offset for part, offset in finished.items() if part in ours})
        except (KafkaError, IllegalStateError, TimeoutError) as error:  # they are being handed on, or Kafka is away
            log.info("offsets not committed yet: %s", type(error).__name__)
            self._finished = finished | self._finished


class DeferredAck(KafkaAckableMessage):
    """A batch whose offsets are committed some time after it was finished, together with those of others."""

    def __init__(self, commits: OffsetCommitter, consumer: AIOKafkaConsumer, records: Sequence[AnyRecord]) -> None:
        super().__init__(body=b"", raw_message=tuple(records), consumer=consumer)
        self.records = records
        self._note = partial(commits.note, consumer, records)

    async def ack(self) -> None:
        """Note that the batch is finished."""
        if not self.committed:
            self._note()
        await super(KafkaAckableMessage, self).ack()
