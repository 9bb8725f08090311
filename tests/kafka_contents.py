"""Everything that is on a Kafka, raw."""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.kit.kafka.access import KafkaAccess

Record = ConsumerRecord[bytes, bytes]


async def topic_names(kafka: KafkaAccess) -> list[str]:
    """List the topics, but for Kafka's own."""
    admin: Any = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    try:
        return sorted(name for name in await admin.list_topics() if not name.startswith("__"))
    finally:
        await admin.close()


async def read_all(kafka: KafkaAccess, topics: Sequence[str]) -> list[Record]:
    """Read every record of these topics from the beginning to where they end now."""
    consumer: Any = AIOKafkaConsumer(**kafka.client(), auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        parts = [TopicPartition(topic, number) for topic in topics for number in await _partitions(consumer, topic)]
        ends = {part: end for part, end in (await consumer.end_offsets(parts)).items() if end}
        consumer.assign(list(ends))
        records: list[Record] = []
        while ends and any([await consumer.position(part) < end for part, end in ends.items()]):
            for each in (await consumer.getmany(timeout_ms=500)).values():
                records += each
        return records
    finally:
        await consumer.stop()


async def _partitions(consumer: Any, topic: str) -> set[int]:
    await consumer._client.force_metadata_update()
    return consumer.partitions_for_topic(topic) or set(
        (await consumer._client.fetch_all_metadata()).partitions_for_topic(topic)
    )
