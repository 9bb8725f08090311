"""The JSON Schema of an event for its writers: an object may have the named fields only."""

from typing import Any

from deploy.contract.catalogue import EventContract

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_MAPS_OF_SCHEMAS = ("properties", "$defs")
_LISTS_OF_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties", "propertyNames")


def schema_of(event: EventContract) -> Schema:
    """Return the schema of one event. `type` is required, although the code's models have a default for it."""
    schema = _closed(event.model.model_json_schema())
    schema["properties"]["type"].pop("default")
    definitions = schema.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "$id": event.uri,
        "title": event.model.__name__,
        **schema,
        "required": ["type", *schema["required"]],
        **({"$defs": definitions} if definitions else {}),
    }


def _closed(schema: Schema) -> Schema:
    """Forbid further fields in every object that names its fields, and remove titles that repeat a field's name."""
    closed = {keyword: _inner(keyword, value) for keyword, value in schema.items() if keyword != "title"}
    if "properties" in closed:
        closed["additionalProperties"] = False
    return closed


def _inner(keyword: str, value: Any) -> Any:
    if keyword in _MAPS_OF_SCHEMAS:
        return {name: _closed(schema) for name, schema in value.items()}
    if keyword in _LISTS_OF_SCHEMAS:
        return [_closed(schema) for schema in value]
    return _closed(value) if keyword in _SCHEMAS and isinstance(value, dict) else value
