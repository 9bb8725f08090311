"""CloudEvents in Kafka's binary mode, as an agency needs them: envelope in the headers, event in the value."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

KNOWN_LABELS = frozenset({"public", "internal", "confidential", "restricted"})


class ForeignMessageError(Exception):
    """A message that is not of the contract, or that we may not read; the text says why."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event from our inbox.

    `trace` is the W3C traceparent that came with it, if any. `sequence` counts the events of its case; 0 if it is not
    said.
    """

    id: str
    type: str
    case_id: str
    trace: str
    event: dict[str, Any]
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that we have to say. `number` tells it from our other updates that the same event led to.

    `at` is when we did it, in seconds since 1970.
    """

    referral_id: str
    case_id: str
    number: int
    type: str
    details: dict[str, str]
    cause: str
    trace: str
    at: float


def read(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Heard:
    """Read a message.

    Raises:
        ForeignMessageError: it is no CloudEvent of version 1.0, its label is unknown to us, or it is not JSON.
    """
    try:
        found = {name: content.decode() for name, content in headers}
        event = json.loads(value or b"")
        sequence, trace = int(found.get("ce_sequence", "0")), found.get("traceparent", "")
        heard = Heard(found["ce_id"], found["ce_type"], event["case_id"], trace, event, sequence)
    except (ValueError, KeyError, TypeError) as error:
        raise ForeignMessageError(f"cannot be read: {type(error).__name__}") from None
    if found.get("ce_specversion") != "1.0":
        raise ForeignMessageError("is not a CloudEvent of version 1.0")
    if found.get("ce_dataclassification") not in KNOWN_LABELS:
        raise ForeignMessageError("has a classification that we do not know")
    return heard


def write(agency: str, update: Update, sequence: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Write an update: the value, and the headers. However often it is sent, it is the same to the last byte."""
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
        "traceparent": child_of(update.trace, identity.hex[:16]),
    }
    return json.dumps(body).encode(), [(name, text.encode()) for name, text in headers.items() if text]


def child_of(traceparent: str, span_id: str) -> str:
    """Go on with a trace (W3C Trace Context, `version-trace-parent-flags`) under a span id of our own."""
    parts = traceparent.split("-")
    return "-".join((parts[0], parts[1], span_id, parts[3])) if len(parts) == 4 else ""  # noqa: PLR2004 - as above
