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


class Commits:
    """The offsets that one consumer has to commit."""

    def __init__(self) -> None:
        self._finished: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, consumer: AIOKafkaConsumer, records: Iterable[AnyRecord]) -> None:
        """Note that all work on these records is finished; they are committed soon."""
        for record in records:
            self._finished[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if self._task is None:
            self._task = asyncio.create_task(self._commit_soon(consumer))

    async def _commit_soon(self, consumer: AIOKafkaConsumer) -> None:
        await asyncio.sleep(COMMIT_SECONDS)
        self._task = None
        finished, self._finished = self._finished, {}
        ours = consumer.assignment()
        try:
            await consumer.commit({part: offset for part, offset in finished.items() if part in ours})
        except (KafkaError, IllegalStateError) as error:  # another consumer has them now, or Kafka is away
            log.info("not committed, to be read again: %s", type(error).__name__)


class FinishedLater(KafkaAckableMessage):
    """A batch whose offsets are committed some time after it was finished, together with those of others."""

    def __init__(self, commits: Commits, consumer: AIOKafkaConsumer, records: Sequence[AnyRecord]) -> None:
        super().__init__(body=b"", raw_message=tuple(records), consumer=consumer)
        self.records = records
        self._note = partial(commits.note, consumer, records)

    async def ack(self) -> None:
        """Note that the batch is finished."""
        if not self.committed:
            self._note()
        await super(KafkaAckableMessage, self).ack()
