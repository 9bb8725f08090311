"""The journey of a case: every event about it, without personal data, in an order that shows causes before effects."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final
from uuid import UUID

from shared.events.event import Event
from shared.events.fields import RESTRICTED
from shared.events.intake import CaseSubmitted
from shared.events.routing import CaseRouted
from shared.events.wire import Envelope, write_time

SHOWN_FIELDS: Final = (
    "service_request_id", "service_code", "urgency", "need", "agency", "program", "to_agency", "to_program", "reason",
    "agency_controls", "attempt", "answer_by", "resolution", "record_only", "template", "channel", "failure", "why",
    "groups", "ends_at", "shown_from",
)  # fmt: skip
"""The fields of events that a journey shows. It shows no other field: free text may contain anything."""

HAPPENS_ONCE: Final = frozenset(
    f"{name}.v1"
    for name in (
        "case.submitted", "case.routed", "referral.requested", "referral.accepted", "referral.rejected",
        "referral.started", "referral.completed", "referral.failed", "referral.cancelled", "referral.transferred",
        "notification.sent", "notification.failed", "notification.suppressed",
    )
)  # fmt: skip
"""The types that occur once for a case, a referral or a delivery. A second event, with another id, is a duplicate."""

RESTRICTED_GROUP: Final = "restricted"
"""Replaces the name of every restricted group, which would reveal what the report is about."""

UNKNOWN: Final = "unknown"
"""Replaces the type of every event of a type that is not known: an agency may have written anything there."""

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyEntry:
    """One event about a case; the class declares the table `journey_entries`, too."""

    case_id: UUID
    source: str
    event_id: UUID
    topic: str
    type: str

    about: str
    """The case, referral or delivery that the event is about, to find events that happened twice."""

    sequence: int | None
    """The event's number in its topic and case; None where the source does not number its events."""

    occurred_at: datetime
    causation_id: UUID | None
    traceparent: str | None
    summary: dict[str, Any]

    heard_at: datetime | None = None
    """When metrics received the event; the database sets it."""


def entry_of(envelope: Envelope, event: Event, topic: str) -> JourneyEntry:
    """Return what the journey stores of one event."""
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
        traceparent=_valid_traceparent(envelope.traceparent),
        summary=summarize(event),
    )


def summarize(event: Event) -> dict[str, Any]:
    """Return the fields of an event that may be shown, as JSON values."""
    values = ((name, getattr(event, name)) for name in _shown_fields(type(event)))
    summary: dict[str, Any] = {name: _as_json(value) for name, value in values if value is not None}
    return summary | _summarize_parts(event)


def _summarize_parts(event: Event) -> dict[str, Any]:
    """Return what may be shown of the values inside an event."""
    if isinstance(event, CaseSubmitted):
        place = {"channel": event.origin.channel, "origin": event.origin.source, "district": event.place.district}
        return {"needs": [need.need for need in event.needs], **{name: value for name, value in place.items() if value}}
    if isinstance(event, CaseRouted):
        routed = [f"{need.agency}/{need.program}" for need in event.routed]
        return {"routed": routed, "at_triage": len(event.unrouted)}
    return {}


@cache
def _shown_fields(kind: type[Event]) -> tuple[str, ...]:
    return tuple(name for name in SHOWN_FIELDS if name in kind.model_fields)


def order_entries(entries: Iterable[JourneyEntry]) -> list[JourneyEntry]:
    """Order a journey by time, but no effect before its cause, and each topic by its sequence.

    The clocks of different machines differ by more than the time between two steps, so time alone gives a wrong order.
    """
    remaining = sorted(entries, key=lambda entry: (entry.occurred_at, entry.topic, entry.sequence or 0, entry.event_id))
    predecessors = _predecessors(remaining)
    ordered: dict[UUID, JourneyEntry] = {}
    while remaining:
        # With a cycle of causes, which only a faulty producer makes, the earliest entry comes first.
        following = next((e for e in remaining if predecessors[e.event_id] <= ordered.keys()), remaining[0])
        remaining.remove(following)
        ordered[following.event_id] = following
    return list(ordered.values())


def _predecessors(entries: list[JourneyEntry]) -> dict[UUID, set[UUID]]:
    """Return for each entry those that must precede it: its cause, and the one before it in its topic."""
    known = {entry.event_id for entry in entries}
    predecessors = {e.event_id: {e.causation_id} & known if e.causation_id else set() for e in entries}
    last: dict[str, UUID] = {}
    for entry in sorted((e for e in entries if e.sequence), key=lambda e: (e.topic, e.sequence)):
        if entry.topic in last:
            predecessors[entry.event_id].add(last[entry.topic])
        last[entry.topic] = entry.event_id
    return predecessors


def _valid_traceparent(traceparent: str | None) -> str | None:
    """Return a well-formed traceparent; None for any other text, as an agency may send it."""
    return traceparent if traceparent and _TRACEPARENT.match(traceparent) else None


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, tuple):
        return sorted({RESTRICTED_GROUP if group in RESTRICTED else group.value for group in value})
    return value.value if isinstance(value, Enum) else value
