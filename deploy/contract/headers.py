"""The schema of a message's headers: CloudEvents 1.0 in Kafka's binary mode, and the headers that Handoff adds."""

from typing import Any

from deploy.contract.catalogue import EventContract
from shared.events.event import Classification, Event

Schema = dict[str, Any]

_FIELDS: dict[str, Schema] = {
    "ce_specversion": {"const": "1.0", "description": "The version of CloudEvents."},
    "ce_id": {
        "format": "uuid",
        "description": "The event's id: two messages with the same source and id are the same event.",
    },
    "ce_type": {"description": "What happened; the same as `type` in the value."},
    "ce_source": {"description": "The service or agency that sent it; each topic has one valid source."},
    "ce_subject": {
        "format": "uuid",
        "description": "The case's id; the same as `case_id` in the value, and as the key.",
    },
    "ce_time": {
        "format": "date-time",
        "description": "When it happened, as the source says; RFC 3339 with an offset.",
    },
    "ce_dataschema": {
        "pattern": "^urn:handoff:schema:",
        "description": "The name of the value's JSON Schema: its `$id`.",
    },
    "ce_dataclassification": {
        "enum": [label.value for label in Classification],
        "description": "How carefully the event must be handled; reject the message if you do not know the value.",
    },
    "ce_causationid": {"format": "uuid", "description": "The id of the event or action that caused this one."},
    "ce_sequence": {"pattern": "^[1-9][0-9]*$", "description": "Counts the events of one case in this topic, from 1."},
    "content-type": {"const": "application/json", "description": "The value is JSON in UTF-8."},
    "traceparent": {
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "The trace of this event (W3C Trace Context); continue it in your answer.",
    },
}

_REQUIRED = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_dataclassification"]
"""Services reject a message without these."""

_ALWAYS_WRITTEN = [*_REQUIRED, "ce_dataschema", "ce_causationid", "ce_sequence", "content-type"]


def headers_written() -> Schema:
    """Return the schema of the headers that Handoff's services write."""
    return _headers("The headers of every event that Handoff writes, each as UTF-8 text.", _ALWAYS_WRITTEN)


def headers_expected() -> Schema:
    """Return the schema of the headers that an agency must write; the other headers are optional."""
    return _headers("The headers of an agency's update, each as UTF-8 text.", _REQUIRED)


def headers_of(event: EventContract, base: str) -> Schema:
    """Return the schema of one event's headers: the one at `base`, with the values of this event."""
    values = {
        "ce_type": {"const": event.event_type},
        "ce_source": _source(event.language.source),
        "ce_dataschema": {"const": event.uri},
        "ce_dataclassification": _label(event.model),
    }
    return {"type": "object", "allOf": [{"$ref": base}, {"type": "object", "properties": values}]}


def _headers(description: str, required: list[str]) -> Schema:
    fields = {name: {"type": "string", **rules} for name, rules in _FIELDS.items()}
    return {"type": "object", "description": description, "required": required, "properties": fields}


def _label(model: type[Event]) -> Schema:
    if model.restricted_label is None:
        return {"const": model.classification.value}
    return {"enum": [model.classification.value, model.restricted_label.value]}


def _source(source: str) -> Schema:
    if "{agency}" not in source:
        return {"const": source}
    return {"pattern": "^" + source.replace("{agency}", "[a-z0-9]+(-[a-z0-9]+)*") + "$"}
