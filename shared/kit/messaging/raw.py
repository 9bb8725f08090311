"""A Kafka message of any bytes, as one column of a table: dead letters are stored and sent on as they came."""

import base64
import json
from collections.abc import Sequence

RawMessage = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""A message as it is on a topic: key, value and headers, of any bytes."""


def write_raw(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a message of any bytes as JSON."""
    pairs = [[name, _to_base64(header)] for name, header in headers]
    return json.dumps({"key": _to_base64(key), "value": _to_base64(value), "headers": pairs}).encode()


def read_raw(raw: bytes) -> RawMessage:
    """Return the message that `write_raw` wrote."""
    found = json.loads(raw)
    return (
        _from_base64(found["key"]),
        _from_base64(found["value"]),
        [(name, _from_base64(text) or b"") for name, text in found["headers"]],
    )


def _to_base64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def _from_base64(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
