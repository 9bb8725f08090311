"""The journey of a case: every event that was heard of it, with no personal data, in the order that makes sense."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any
from uuid import UUID

from shared.events.event import Event
from shared.events.fields import RESTRICTED
from shared.events.intake import CaseSubmitted
from shared.events.routing import CaseRouted
from shared.events.wire import Envelope, write_time

SHOWN = (
    "service_request_id", "service_code", "urgency", "need", "agency", "program", "to_agency", "to_program", "reason",
    "agency_controls", "attempt", "answer_by", "resolution", "record_only", "template", "channel", "failure", "why",
    "groups", "ends_at", "shown_from",
)  # fmt: skip
"""The fields of events that a journey shows. A field that is not listed stays out: words may hold anything."""

ONCE = frozenset(
    f"{name}.v1"
    for name in (
        "case.submitted", "case.routed", "referral.requested", "referral.accepted", "referral.rejected",
        "referral.started", "referral.completed", "referral.failed", "referral.cancelled", "referral.transferred",
        "notification.sent", "notification.failed", "notification.suppressed",
    )
)  # fmt: skip
"""What happens once to a case, a referral or a delivery; told again under another id, it was done twice."""

RESTRICTED_GROUP = "restricted"
"""Stands for every restricted group: which of them it was would tell what the report is about."""

UNKNOWN = "unknown"
"""Stands for every type that we do not know: what an agency writes there may be anything."""

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyEntry:
    """One event of a case; `sequence` is None where its source does not number its events."""

    case_id: UUID
    source: str
    event_id: UUID
    topic: str
    type: str
    about: str
    sequence: int | None
    occurred_at: datetime
    causation_id: UUID | None
    traceparent: str | None
    summary: dict[str, Any]
    heard_at: datetime | None = None


def entry_of(envelope: Envelope, event: Event, topic: str) -> JourneyEntry:
    """Return what the journey keeps of one event."""
    return JourneyEntry(
        case_id=event.case_id,
        source=envelope.source,
        event_id=envelope.id,
        topic=topic,
        type=envelope.type if type(event) is not Event else UNKNOWN,
        about=event.identity_key,
        sequence=envelope.sequence or None,
        occurred_at=envelope.time,
        causation_id=envelope.causation_id,
        traceparent=_sound(envelope.traceparent),
        summary=summarize(event),
    )


def summarize(event: Event) -> dict[str, Any]:
    """Return the fields that may be shown, as JSON values."""
    said = ((name, getattr(event, name)) for name in _shown(type(event)))
    told: dict[str, Any] = {name: _plain(value) for name, value in said if value is not None}
    return told | _parts(event)


def _parts(event: Event) -> dict[str, Any]:
    """Return what may be shown of the values inside an event."""
    if isinstance(event, CaseSubmitted):
        told = {"channel": event.origin.channel, "origin": event.origin.source, "district": event.place.district}
        named = {name: value for name, value in told.items() if value}
        return {"needs": [need.need for need in event.needs], **named}
    if isinstance(event, CaseRouted):
        routed = [f"{need.agency}/{need.program}" for need in event.routed]
        return {"routed": routed, "at_triage": len(event.unrouted)}
    return {}


@cache
def _shown(kind: type[Event]) -> tuple[str, ...]:
    return tuple(name for name in SHOWN if name in kind.model_fields)


def arrange(entries: Iterable[JourneyEntry]) -> list[JourneyEntry]:
    """Put a journey in order: by time, but never an effect before its cause, nor a topic's second before its first.

    Clocks of different machines disagree by more than the time between two steps, so time alone would lie.
    """
    waiting = sorted(entries, key=lambda entry: (entry.occurred_at, entry.topic, entry.sequence or 0, entry.event_id))
    before = _predecessors(waiting)
    told: dict[UUID, JourneyEntry] = {}
    while waiting:
        following = next((entry for entry in waiting if before[entry.event_id] <= told.keys()), waiting[0])
        waiting.remove(following)
        told[following.event_id] = following
    return list(told.values())


def _predecessors(entries: list[JourneyEntry]) -> dict[UUID, set[UUID]]:
    known = {entry.event_id for entry in entries}
    before = {e.event_id: {e.causation_id} & known if e.causation_id else set() for e in entries}
    last: dict[str, UUID] = {}
    for entry in sorted((e for e in entries if e.sequence), key=lambda e: (e.topic, e.sequence)):
        if entry.topic in last:
            before[entry.event_id].add(last[entry.topic])
        last[entry.topic] = entry.event_id
    return before


def _sound(traceparent: str | None) -> str | None:
    """Return the traceparent if it is one: an agency may send anything."""
    return traceparent if traceparent and _TRACEPARENT.match(traceparent) else None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, tuple):
        return sorted({RESTRICTED_GROUP if group in RESTRICTED else group.value for group in value})
    return value.value if isinstance(value, Enum) else value
