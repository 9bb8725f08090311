"""Records for consumers: events, golden samples as they once came, and events of types that nobody knows yet."""

import json
from uuid import UUID, uuid4

from aiokafka import ConsumerRecord

from shared.events.event import Event
from shared.events.topics import TopicSpec
from shared.events.wire import schema_uri, write_time
from shared.kit.messaging.messages import Record
from tests.contract.golden_samples import golden_samples


def samples_of(language: TopicSpec) -> list[Record]:
    """Return every golden sample of a language, as a record."""
    samples = [sample for sample in golden_samples() if sample.language == language]
    return [record(sample.topic, sample.key, sample.headers, json.dumps(sample.value).encode()) for sample in samples]


def stranger(language: TopicSpec, kind: str = "case.pondered.v1") -> Record:
    """Return an event of a type that this language does not have yet."""
    sample = next(sample for sample in golden_samples() if sample.language == language)
    case_id = str(uuid4())
    changed = {"ce_type": kind.encode(), "ce_subject": case_id.encode(), "ce_id": str(uuid4()).encode()}
    headers = [(name, changed.get(name, value)) for name, value in sample.headers]
    body = json.dumps({"type": kind, "case_id": case_id, "depth": 3}).encode()
    return record(sample.topic, case_id, headers, body)


def written(topic: str, source: str, event: Event, identity: UUID, **others: str) -> Record:
    """Return an event as a relay writes it; `others` are further headers, or other values for some."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(identity),
        "ce_type": event.type,
        "ce_source": source,
        "ce_subject": str(event.case_id),
        "ce_time": write_time(event.happened_at),
        "ce_dataschema": schema_uri(topic, event.type),
        "ce_dataclassification": event.label.value,
        "ce_sequence": "1",
    } | others
    pairs = [(name, text.encode()) for name, text in headers.items()]
    return record(topic, str(event.case_id), pairs, event.model_dump_json().encode())


def record(topic: str, key: str, headers: list[tuple[str, bytes]], value: bytes) -> Record:
    """Return one record."""
    return ConsumerRecord(
        topic=topic,
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=key.encode(),
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=headers,
    )
