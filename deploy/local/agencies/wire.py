"""CloudEvents in Kafka's binary mode, decoded and encoded: envelope in the headers, event in the value."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

KNOWN_LABELS = frozenset({"public", "internal", "confidential", "restricted"})


class ForeignMessageError(Exception):
    """A message that does not match the contract, or that has an unknown classification."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event from the inbox.

    `trace` is its W3C traceparent, or empty. `sequence` counts the events of its case in the inbox; 0 if it is missing.
    """

    id: str
    type: str
    case_id: str
    trace: str
    event: dict[str, Any]
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """One update to send. `number` distinguishes the updates that the same event caused.

    `at` is when it occurred, in seconds since 1970.
    """

    referral_id: str
    case_id: str
    number: int
    type: str
    details: dict[str, str]
    cause: str
    trace: str
    at: float


def decode(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> ReceivedEvent:
    """Decode a message.

    Raises:
        ForeignMessageError: it is not a CloudEvent of version 1.0, its classification is unknown, or it is not JSON.
    """
    try:
        found = {name: content.decode() for name, content in headers}
        event = json.loads(value or b"")
        sequence, trace = int(found.get("ce_sequence", "0")), found.get("traceparent", "")
        received = ReceivedEvent(found["ce_id"], found["ce_type"], event["case_id"], trace, event, sequence)
    except (ValueError, KeyError, TypeError) as error:
        raise ForeignMessageError(f"cannot be decoded: {type(error).__name__}") from None
    if found.get("ce_specversion") != "1.0":
        raise ForeignMessageError("is not a CloudEvent of version 1.0")
    if found.get("ce_dataclassification") not in KNOWN_LABELS:
        raise ForeignMessageError("has an unknown classification")
    return received


def encode(agency: str, update: PendingUpdate, sequence: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Encode an update as value and headers; every call for the same update returns the same bytes."""
    identity = uuid5(NAMESPACE_URL, f"urn:agency:{agency}|{update.cause}|{update.type}|{update.number}")
    moment = datetime.fromtimestamp(update.at, UTC).isoformat().replace("+00:00", "Z")
    body = {
        "type": update.type,
        "case_id": update.case_id,
        "referral_id": update.referral_id,
        "occurred_at": moment,
        **update.details,
    }
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(identity),
        "ce_type": update.type,
        "ce_source": f"/agencies/{agency}",
        "ce_subject": update.case_id,
        "ce_time": moment,
        "ce_dataschema": f"urn:handoff:schema:agency.updates:{update.type}",
        "ce_dataclassification": "confidential",
        "ce_causationid": update.cause,
        "ce_sequence": str(sequence),
        "content-type": "application/json",
        "traceparent": continue_trace(update.trace, identity.hex[:16]),
    }
    return json.dumps(body).encode(), [(name, text.encode()) for name, text in headers.items() if text]


def continue_trace(traceparent: str, span_id: str) -> str:
    """Continue a trace (W3C Trace Context, `version-trace-parent-flags`) with a new span id; empty without a trace."""
    parts = traceparent.split("-")
    return "-".join((parts[0], parts[1], span_id, parts[3])) if len(parts) == 4 else ""  # noqa: PLR2004 - as above
