"""CloudEvents 1.0 in Kafka's binary mode: an envelope in the headers, the event as JSON in the value.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2; extensions as in docs/asyncapi.yaml.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha1
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError

from shared.events.event import Classification, Event
from shared.events.topics import TopicSpec
from shared.events.validation import first_error

Headers = list[tuple[str, bytes]]

_EVENT_IDS = uuid5(NAMESPACE_URL, "urn:handoff:event")
_LABELS = frozenset(Classification)


class MalformedMessageError(Exception):
    """A message that is not an event of its topic; the text names the field, never its value."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The CloudEvents headers of one event.

    `sequence` numbers the events of one case in one topic, from 1. `causation_id` is the event that caused this one.
    """

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    sequence: int
    causation_id: UUID | None
    classification: Classification
    traceparent: str | None


def event_id(cause: UUID, topic: str, event: Event) -> UUID:
    """Derive the id of an event from its cause, so that a replay produces the same id.

    A version 5 UUID (RFC 9562, section 5.5) of cause, topic, type and identity key.
    """
    return derived_id(cause, topic, event.type, event.identity_key)


def derived_id(cause: UUID, topic: str, event_type: str, identity_key: str) -> UUID:
    """Derive the id of an event from its parts; for writers that do not construct the event object."""
    return fast_uuid5(_EVENT_IDS, f"{cause}|{topic}|{event_type}|{identity_key}")


def fast_uuid5(space: UUID, name: str) -> UUID:
    """Return the same UUID as `uuid.uuid5`, in half the time: every event derives several ids."""
    return UUID(bytes=sha1(space.bytes + name.encode(), usedforsecurity=False).digest()[:16], version=5)


def schema_uri(topic: str, event_type: str) -> str:
    """Return the URN of an event's JSON Schema; its last parts are folder and file in docs/schemas."""
    family = "agency.inbox" if topic.endswith(".inbox.v1") else topic.removesuffix(".v1")
    family = "agency.updates" if topic.endswith(".updates.v1") else family
    return f"urn:handoff:schema:{family}:{event_type}"


@lru_cache(maxsize=1024)
def write_time(moment: datetime) -> str:
    """Write a moment in UTC, RFC 3339."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_envelope(headers: Iterable[tuple[str, bytes]]) -> Envelope:
    """Read an envelope.

    Raises:
        MalformedMessageError: a header is missing, not text, or not what it must be.
    """
    try:
        found = {name: value.decode() for name, value in headers}
        cause = found.get("ce_causationid")
        if found["ce_specversion"] != "1.0":
            raise MalformedMessageError("ce_specversion is not 1.0")
        if found["ce_dataclassification"] not in _LABELS:
            raise MalformedMessageError("ce_dataclassification is not a known label")
        return Envelope(
            id=UUID(found["ce_id"]),
            type=found["ce_type"],
            source=found["ce_source"],
            subject=found["ce_subject"],
            time=datetime.fromisoformat(found["ce_time"]),
            sequence=int(found.get("ce_sequence", "0")),
            causation_id=UUID(cause) if cause else None,
            classification=Classification(found["ce_dataclassification"]),
            traceparent=found.get("traceparent"),
        )
    except KeyError as missing:
        raise MalformedMessageError(f"header {missing.args[0]} is missing") from None
    except UnicodeDecodeError:
        raise MalformedMessageError("a header is not UTF-8") from None
    except (ValueError, AttributeError):
        raise MalformedMessageError("a header is not of its type") from None


def read_event(spec: TopicSpec, envelope: Envelope, value: bytes | None, *, ignore_unknown_types: bool = False) -> Any:
    """Parse an event and check that it agrees with its envelope.

    With `ignore_unknown_types` an event of an unknown type is returned as a plain `Event`: type and case only.

    Raises:
        MalformedMessageError: not JSON, not an event of this topic, or envelope and event disagree.
    """
    if value is None:
        raise MalformedMessageError("there is no value")
    try:
        event = spec.events.validate_json(value)
    except ValidationError as error:
        event = _read_unknown_type(value, error) if ignore_unknown_types else None
        if event is None:
            raise MalformedMessageError(first_error(error, "message")) from None
    if event.type != envelope.type:
        raise MalformedMessageError("ce_type is not the event's type")
    if str(event.case_id) != envelope.subject:
        raise MalformedMessageError("ce_subject is not the event's case")
    return event


def _read_unknown_type(value: bytes, error: ValidationError) -> Event | None:
    """Return the event as a plain `Event` if its unknown type is the only error; otherwise None."""
    if error.errors(include_url=False, include_context=False, include_input=False)[0]["type"] != "union_tag_invalid":
        return None
    try:
        return Event.model_validate_json(value)
    except ValidationError:
        return None
