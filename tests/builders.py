"""Builders of the values that tests share: events, agreements, consents, Kafka records.

Each builder has defaults for every field; keyword arguments replace them.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from aiokafka import ConsumerRecord

from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need, Origin, Place, RecordedReferral
from shared.events.topics import TopicSpec
from shared.events.wire import schema_uri, write_time
from shared.kit.messaging.messages import Record
from shared.policy.agreements import FRONT_DOOR, Agreement, Clause
from shared.policy.consent import Consent
from tests.contract.golden_samples import golden_samples

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAMESPACE = UUID("00000000-0000-5000-8000-000000000000")


def case_id(number: int = 1) -> UUID:
    """Return the id of a case, the same in every run."""
    return uuid5(NAMESPACE, f"case {number}")


def need_id(need: str, number: int = 1) -> UUID:
    """Return the id of one need of a case."""
    return uuid5(case_id(number), need)


def clause(*recipients: str, groups: Iterable[str] = (FieldGroup.NEED,), **fields: Any) -> Clause:
    """Return a clause of the front door with these recipients, in the form `full`."""
    defaults = {"id": f"to-{recipients[0]}", "sources": (FRONT_DOOR,), "form": "full", "why": "They help."}
    return Clause.model_validate({**defaults, "recipients": recipients, "groups": tuple(groups), **fields})


def agreement(*clauses: Clause | Mapping[str, Any], **fields: Any) -> Agreement:
    """Return an agreement with these clauses, in force from 2025 to 2035, between all parties that they name."""
    share = [each if isinstance(each, Clause) else Clause.model_validate(each) for each in clauses]
    parties = {FRONT_DOOR} | {party for each in share for party in (*each.sources, *each.recipients)}
    defaults = {
        "id": share[0].id,
        "version": 1,
        "title": "An agreement",
        "purpose": "service-delivery",
        "legal_basis": "Town Charter 1",
        "status": "active",
        "starts": date(2025, 1, 1),
        "ends": date(2035, 12, 31),
        "retain_days": 365,
        "contacts": ({"party": FRONT_DOOR, "name": "The clerk", "email": "clerk@town.example.org"},),
        "parties": tuple(sorted(parties)),
        "share": share,
    }
    return Agreement.model_validate({**defaults, **fields})


def consent(*recipients: str, number: int = 1, groups: Iterable[FieldGroup] = (), **fields: Any) -> Consent:
    """Return a consent for these recipients, granted an hour before noon and valid for ten days."""
    defaults = {
        "consent_id": uuid5(case_id(number), "consent"),
        "case_id": case_id(number),
        "recipients": frozenset(recipients),
        "purpose": "service-delivery",
        "groups": frozenset(groups),
        "granted_at": NOON - HOUR,
        "ends_at": NOON + 10 * DAY,
    }
    return Consent(**{**defaults, **fields})


def report(*needs: str, number: int = 1, **fields: Any) -> CaseSubmitted:
    """Return a report with these needs (`housing` by default), filed at noon."""
    defaults: dict[str, Any] = {
        "case_id": case_id(number),
        "service_request_id": f"SR-{number}",
        "service_code": "repair",
        "needs": tuple(Need(need_id=need_id(need, number), need=need) for need in needs or ("housing",)),
        "place": Place(cell="882a10081bfffff", district="south"),
        "origin": Origin(channel="web"),
        "submitted_at": NOON,
    }
    return CaseSubmitted(**{**defaults, **fields})


def recorded_referral(
    need: str = "housing", *, closed_at: datetime | None, answered_at: datetime | None = None
) -> RecordedReferral:
    """Return another system's record of a need that it opened at noon."""
    return RecordedReferral(need_id=need_id(need), opened_at=NOON, answered_at=answered_at, closed_at=closed_at)


def event_record(topic: str, source: str, event: Event, event_id: UUID, **headers: str) -> Record:
    """Return an event as a relay publishes it; `headers` adds or replaces headers."""
    envelope = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_type": event.type,
        "ce_source": source,
        "ce_subject": str(event.case_id),
        "ce_time": write_time(event.happened_at),
        "ce_dataschema": schema_uri(topic, event.type),
        "ce_dataclassification": event.label.value,
        "ce_sequence": "1",
    } | headers
    pairs = [(name, text.encode()) for name, text in envelope.items()]
    return kafka_record(topic, str(event.case_id), pairs, event.model_dump_json().encode())


def golden_records(spec: TopicSpec) -> list[Record]:
    """Return every golden sample of a topic as a record."""
    samples = [sample for sample in golden_samples() if sample.spec == spec]
    return [
        kafka_record(sample.topic, sample.key, sample.headers, json.dumps(sample.value).encode()) for sample in samples
    ]


def unknown_type_record(spec: TopicSpec, event_type: str = "case.pondered.v1") -> Record:
    """Return a record of an event type that the topic does not have."""
    sample = next(sample for sample in golden_samples() if sample.spec == spec)
    subject = str(uuid4())
    changed = {"ce_type": event_type.encode(), "ce_subject": subject.encode(), "ce_id": str(uuid4()).encode()}
    headers = [(name, changed.get(name, value)) for name, value in sample.headers]
    value = json.dumps({"type": event_type, "case_id": subject, "depth": 3}).encode()
    return kafka_record(sample.topic, subject, headers, value)


def kafka_record(topic: str, key: str, headers: list[tuple[str, bytes]], value: bytes) -> Record:
    """Return a Kafka record of partition 0 at offset 0."""
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
