"""The form of an AsyncAPI 3.0.0 document, as far as ours uses it: closed, so that a misspelt field is seen.

Source: the specification of AsyncAPI 3.0.0, its objects named in each line.
"""

from typing import Any

TEXT = {"type": "string", "minLength": 1}
SCHEMA = {"type": ["object", "boolean"]}
REFERENCE = {
    "type": "object",
    "required": ["$ref"],
    "additionalProperties": False,
    "properties": {"$ref": {"type": "string", "format": "uri-reference"}},
}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def named(schema: dict[str, Any], pattern: str = r"^[A-Za-z0-9._-]+$") -> dict[str, Any]:
    """A map of names to such things."""
    return {"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": schema}


LICENSE = closed(["name"], name=TEXT, url={"type": "string", "format": "uri"})
INFO = closed(["title", "version"], title=TEXT, version=TEXT, description=TEXT, license=LICENSE)
SERVER = closed(
    ["host", "protocol"],
    host=TEXT,
    protocol=TEXT,
    description=TEXT,
    security={"type": "array", "items": REFERENCE},
)
SECURITY_SCHEME = closed(["type"], type={"enum": ["scramSha256", "scramSha512", "plain"]}, description=TEXT)
PARAMETER = closed([], description=TEXT, enum={"type": "array", "items": TEXT})
KAFKA_CHANNEL = closed(
    ["bindingVersion"],
    partitions={"type": "integer", "minimum": 1},
    topicConfiguration=closed([], **{"retention.ms": {"type": "integer", "minimum": -1}}),
    bindingVersion={"const": "0.5.0"},
)
KAFKA_MESSAGE = closed(["bindingVersion"], key=SCHEMA, bindingVersion={"const": "0.5.0"})
CHANNEL = closed(
    ["address"],
    address=TEXT,
    description=TEXT,
    messages=named(REFERENCE),
    parameters=named(PARAMETER),
    bindings=closed([], kafka=KAFKA_CHANNEL),
)
OPERATION = closed(
    ["action", "channel"],
    action={"enum": ["send", "receive"]},
    channel=REFERENCE,
    tags={"type": "array", "items": closed(["name"], name=TEXT)},
)
EXAMPLE = closed([], headers={"type": "object"}, payload={"type": "object"})
MESSAGE = closed(
    ["headers", "payload"],
    name=TEXT,
    title=TEXT,
    summary=TEXT,
    headers={"type": "object", "required": ["type"], "properties": {"type": {"const": "object"}}},
    payload=SCHEMA,
    bindings=closed([], kafka=KAFKA_MESSAGE),
    examples={"type": "array", "items": EXAMPLE},
)
DOCUMENT = closed(
    ["asyncapi", "info"],
    asyncapi={"const": "3.0.0"},
    info=INFO,
    defaultContentType=TEXT,
    servers=named(SERVER),
    channels=named(CHANNEL),
    operations=named(OPERATION),
    components=closed([], messages=named(MESSAGE), schemas=named(SCHEMA), securitySchemes=named(SECURITY_SCHEME)),
)
