"""Records for consumers: golden samples as they once came, and events of types that nobody knows yet."""

import json
from uuid import uuid4

from aiokafka import ConsumerRecord

from shared.events.topics import Language
from tests.contract.golden_samples import golden_samples


def samples_of(language: Language) -> list[ConsumerRecord[bytes, bytes]]:
    """Return every golden sample of a language, as a record."""
    samples = [sample for sample in golden_samples() if sample.language == language]
    return [record(sample.topic, sample.key, sample.headers, sample.value) for sample in samples]


def stranger(language: Language, kind: str = "case.pondered.v1") -> ConsumerRecord[bytes, bytes]:
    """Return an event of a type that this language does not have yet."""
    sample = next(sample for sample in golden_samples() if sample.language == language)
    case_id = str(uuid4())
    changed = {"ce_type": kind.encode(), "ce_subject": case_id.encode(), "ce_id": str(uuid4()).encode()}
    headers = [(name, changed.get(name, value)) for name, value in sample.headers]
    return record(sample.topic, case_id, headers, {"type": kind, "case_id": case_id, "depth": 3})


def record(
    topic: str, key: str, headers: list[tuple[str, bytes]], value: dict[str, object]
) -> ConsumerRecord[bytes, bytes]:
    """Return one record."""
    return ConsumerRecord(
        topic=topic,
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=key.encode(),
        value=json.dumps(value).encode(),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=headers,
    )
