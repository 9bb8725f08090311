"""The headers of a message, described: CloudEvents 1.0 in Kafka's binary mode, and what Handoff adds to it."""

from typing import Any

from deploy.contract.catalogue import Published
from shared.events.event import Classification, Event

Schema = dict[str, Any]

_FIELDS: dict[str, Schema] = {
    "ce_specversion": {"const": "1.0", "description": "The version of CloudEvents."},
    "ce_id": {
        "format": "uuid",
        "description": "The event's id: two messages with the same source and id are the same event.",
    },
    "ce_type": {"description": "What happened; the same as `type` in the value."},
    "ce_source": {"description": "Who says it; each topic has one source that counts."},
    "ce_subject": {
        "format": "uuid",
        "description": "The case's id; the same as `case_id` in the value, and as the key.",
    },
    "ce_time": {
        "format": "date-time",
        "description": "When it happened in the world, as the source says; RFC 3339 with an offset.",
    },
    "ce_dataschema": {
        "pattern": "^urn:handoff:schema:",
        "description": "The name of the value's JSON Schema: its `$id`.",
    },
    "ce_dataclassification": {
        "enum": [label.value for label in Classification],
        "description": "How carefully the event must be handled; reject it when you do not know the label.",
    },
    "ce_causationid": {"format": "uuid", "description": "The id of the event or act that led to this one."},
    "ce_sequence": {"pattern": "^[1-9][0-9]*$", "description": "Counts the events of one case in this topic, from 1."},
    "content-type": {"const": "application/json", "description": "The value is JSON in UTF-8."},
    "traceparent": {
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "The trace that this belongs to (W3C Trace Context); hand it on in your answer.",
    },
}

_READ = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_dataclassification"]
"""Without these a message is not read."""

_ALWAYS_WRITTEN = [*_READ, "ce_dataschema", "ce_causationid", "ce_sequence", "content-type"]


def headers_written() -> Schema:
    """Describe the headers of what Handoff's services write."""
    return _headers("The headers of every event that Handoff writes, each as UTF-8 text.", _ALWAYS_WRITTEN)


def headers_expected() -> Schema:
    """Describe the headers that an agency must write; the others are welcome."""
    return _headers("The headers of an agency's update, each as UTF-8 text.", _READ)


def headers_of(said: Published, base: str) -> Schema:
    """Narrow the headers (described at `base`) to those of one event."""
    narrowed = {
        "ce_type": {"const": said.event_type},
        "ce_source": _source(said.language.source),
        "ce_dataschema": {"const": said.uri},
        "ce_dataclassification": _label(said.model),
    }
    return {"type": "object", "allOf": [{"$ref": base}, {"type": "object", "properties": narrowed}]}


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
