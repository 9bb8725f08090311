"""Removes the messages of one case that agencies have read from their inbox topics, where the data are not encrypted.

Kafka deletes only from the start of a partition. So every record up to the last read record of the case is removed;
records that the agency has not read stay, and the result counts those of the case.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.events.agency_inbox import ReferralAmended, ReferralRequested
from shared.events.topics import inbox_topic
from shared.kit.kafka.access import KafkaAccess

DISCLOSING_TYPES = frozenset(
    kind.model_fields["type"].default.encode() for kind in (ReferralRequested, ReferralAmended)
)
"""The event types that may hold personal data."""

BATCH = 5000
TIMEOUT_MS = 500

Progress = Callable[[str, int, int], None]
"""Is called with the agency, the number of records searched, and the number of all."""


class RemovalError(Exception):
    """Kafka does not answer, or rejects a request; records that were removed before stay removed."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The number of records of the case that were removed from one agency's topic, and of those it has not read."""

    agency: str
    removed: int
    unread: int


async def remove_read_records(
    kafka: KafkaAccess, case_id: str, agencies: Sequence[str], report: Progress
) -> list[Removal]:
    """Remove the records of a case that these agencies have read; the result leaves out agencies without one.

    Raises:
        RemovalError: Kafka does not answer, or rejects a request.
    """
    consumer = AIOKafkaConsumer(**kafka.client(), enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**kafka.client())
    try:
        await consumer.start()
        await admin.start()
        known = await consumer.topics()
        parts = await _partitions_of(admin, case_id.encode(), {inbox_topic(agency) for agency in agencies} & known)
        wanted = [(agency, parts[inbox_topic(agency)]) for agency in agencies if inbox_topic(agency) in parts]
        found = [await _remove(consumer, admin, (*each, case_id.encode()), report) for each in wanted]
    except KafkaError as error:
        raise RemovalError(f"Kafka: {kafka.explain(error)}") from error
    finally:
        await _close(consumer.stop, admin.close)
    return [each for each in found if each.removed or each.unread]


async def _remove(
    consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, wanted: tuple[str, TopicPartition, bytes], report: Progress
) -> Removal:
    agency, part, key = wanted
    offsets = await _find(consumer, part, key, lambda read, total: report(agency, read, total))
    committed = await admin.list_consumer_group_offsets(f"agency.{agency}", partitions=[part])
    known = committed.get(part)
    read = [offset for offset in offsets if known is not None and offset < known.offset]
    if read:
        await admin.delete_records({part: RecordsToDelete(read[-1] + 1)})
    return Removal(agency, len(read), len(offsets) - len(read))


async def _partitions_of(admin: AIOKafkaAdminClient, key: bytes, topics: set[str]) -> dict[str, TopicPartition]:
    """Return by topic the partition for a key: every producer of Handoff uses this partitioner."""
    parts = {}
    for topic in await admin.describe_topics(sorted(topics)) if topics else []:
        numbers = sorted(each["partition"] for each in topic["partitions"])
        parts[topic["topic"]] = TopicPartition(topic["topic"], DefaultPartitioner()(key, numbers, numbers))
    return parts


async def _find(
    consumer: AIOKafkaConsumer, part: TopicPartition, key: bytes, report: Callable[[int, int], None]
) -> list[int]:
    """Return the offsets of the case's records that may hold personal data, up to the present end of the partition."""
    consumer.assign([part])
    first = (await consumer.beginning_offsets([part]))[part]
    end = (await consumer.end_offsets([part]))[part]
    consumer.seek(part, first)
    offsets: list[int] = []
    while (at := await consumer.position(part)) < end:
        report(at - first, end - first)
        batch = (await consumer.getmany(part, timeout_ms=TIMEOUT_MS, max_records=BATCH)).get(part, [])
        offsets += [record.offset for record in batch if record.key == key and _may_disclose(record)]
    report(end - first, end - first)
    return offsets


def _may_disclose(record: ConsumerRecord[bytes, bytes]) -> bool:
    """Return whether a record may hold personal data; a record without a type may."""
    types = [value for name, value in record.headers if name == "ce_type"]
    return not types or types[0] in DISCLOSING_TYPES


async def _close(*closing: Callable[[], Awaitable[None]]) -> None:
    for close in closing:
        await close()
