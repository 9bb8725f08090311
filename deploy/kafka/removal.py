"""Removes from agencies' inbox topics what they have read of one case: a record given in full lies there in the clear.

Kafka removes from the front of a partition only. So what an agency has read goes up to the last record of the case,
with whatever else it has read before that; what it has not read yet stays, and is told.
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

GIVING = frozenset(kind.model_fields["type"].default.encode() for kind in (ReferralRequested, ReferralAmended))
"""The types of record that may hold something of a person."""

AT_ONCE = 5000
WAIT_MS = 500

Progress = Callable[[str, int, int], None]
"""Is told the agency, how many records have been looked through, and of how many."""


class RemovalError(Exception):
    """Kafka could not be asked; what had been removed before stays removed."""


@dataclass(frozen=True, slots=True)
class Removal:
    """How many records of the case were removed from one agency's topic, and how many it has not read yet."""

    agency: str
    removed: int
    unread: int


async def remove_read(kafka: KafkaAccess, case_id: str, agencies: Sequence[str], tell: Progress) -> list[Removal]:
    """Remove what these agencies have read of a case; agencies without a record of it are left out.

    Raises:
        RemovalError: Kafka is away, or refuses.
    """
    consumer = AIOKafkaConsumer(**kafka.client(), enable_auto_commit=False)
    admin = AIOKafkaAdminClient(**kafka.client())
    try:
        await consumer.start()
        await admin.start()
        known = await consumer.topics()
        parts = await _partitions_of(admin, case_id.encode(), {inbox_topic(agency) for agency in agencies} & known)
        wanted = [(agency, parts[inbox_topic(agency)]) for agency in agencies if inbox_topic(agency) in parts]
        found = [await _remove(consumer, admin, (*each, case_id.encode()), tell) for each in wanted]
    except KafkaError as error:
        raise RemovalError(f"Kafka: {kafka.explain(error)}") from error
    finally:
        await _close(consumer.stop, admin.close)
    return [each for each in found if each.removed or each.unread]


async def _remove(
    consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, wanted: tuple[str, TopicPartition, bytes], tell: Progress
) -> Removal:
    agency, part, key = wanted
    offsets = await _find(consumer, part, key, lambda seen, of: tell(agency, seen, of))
    committed = await admin.list_consumer_group_offsets(f"agency.{agency}", partitions=[part])
    known = committed.get(part)
    read = [offset for offset in offsets if known is not None and offset < known.offset]
    if read:
        await admin.delete_records({part: RecordsToDelete(read[-1] + 1)})
    return Removal(agency, len(read), len(offsets) - len(read))


async def _partitions_of(admin: AIOKafkaAdminClient, key: bytes, topics: set[str]) -> dict[str, TopicPartition]:
    """Return by topic the only partition that holds a key, as every producer of ours chooses it."""
    parts = {}
    for topic in await admin.describe_topics(sorted(topics)) if topics else []:
        numbers = sorted(each["partition"] for each in topic["partitions"])
        parts[topic["topic"]] = TopicPartition(topic["topic"], DefaultPartitioner()(key, numbers, numbers))
    return parts


async def _find(
    consumer: AIOKafkaConsumer, part: TopicPartition, key: bytes, tell: Callable[[int, int], None]
) -> list[int]:
    """Return the offsets of the records of a case that may hold something, as far as the partition goes now."""
    consumer.assign([part])
    first = (await consumer.beginning_offsets([part]))[part]
    end = (await consumer.end_offsets([part]))[part]
    consumer.seek(part, first)
    offsets: list[int] = []
    while (at := await consumer.position(part)) < end:
        tell(at - first, end - first)
        batch = (await consumer.getmany(part, timeout_ms=WAIT_MS, max_records=AT_ONCE)).get(part, [])
        offsets += [record.offset for record in batch if record.key == key and _gives(record)]
    tell(end - first, end - first)
    return offsets


def _gives(record: ConsumerRecord[bytes, bytes]) -> bool:
    """Tell whether a record may hold something of a person; one that does not say what it is may."""
    types = [value for name, value in record.headers if name == "ce_type"]
    return not types or types[0] in GIVING


async def _close(*closing: Callable[[], Awaitable[None]]) -> None:
    for close in closing:
        await close()
