"""An outbox row as a Kafka message: a CloudEvent in binary mode, or a dead letter as it came."""

from functools import lru_cache

from shared.events.wire import schema_uri
from shared.kit.messaging.outbox import OutboxRow
from shared.kit.messaging.raw import RawMessage, read_raw

Header = tuple[str, bytes]


def encode_row(row: OutboxRow, source: bytes, traceparent: str | None) -> RawMessage:
    """Return key, value and headers of a row; `source` is the service's `ce_source`."""
    if row.raw is not None:
        return read_raw(row.raw)
    case_id = (row.case_id or "").encode()
    event_type, schema, classification = _shared_headers(row.topic, row.event_type or "", row.classification or "")
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", (row.event_id or "").encode()),
        event_type,
        ("ce_source", source),
        ("ce_subject", case_id),
        ("ce_time", (row.happened_at or "").encode()),
        schema,
        classification,
        ("ce_causationid", (row.causation_id or "").encode()),
        ("ce_sequence", str(row.sequence).encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return case_id, (row.value or "").encode(), headers


@lru_cache(1024)
def _shared_headers(topic: str, event_type: str, classification: str) -> tuple[Header, Header, Header]:
    """Return the headers that are the same for all events of one type and classification in one topic."""
    return (
        ("ce_type", event_type.encode()),
        ("ce_dataschema", schema_uri(topic, event_type).encode()),
        ("ce_dataclassification", classification.encode()),
    )
