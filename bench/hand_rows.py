"""What routing by hand writes of one case: the rows, and the events in them."""

import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from shared.events.fields import FieldGroup
from shared.events.wire import write_time
from shared.kit.database.database import Transaction
from shared.kit.database.rows import copy_text
from shared.kit.messaging.messages import Record
from shared.kit.messaging.outbox import shard_of
from shared.kit.vault.vault import Person, Vault
from shared.policy.plan import ReleasePlan
from shared.policy.redaction import redact

Row = tuple[object, ...]
Said = tuple[str, dict[str, Any], str, str]
"""A topic, an event, what it is about, and how carefully it must be handled."""

_IDS = uuid5(NAMESPACE_URL, "urn:handoff:event")


def common_of(
    report: dict[str, Any], need: dict[str, str], program: str, referral_id: UUID, answer_by: datetime
) -> dict[str, Any]:
    """Return what both events about a referral say."""
    return {
        "type": "referral.requested.v1",
        "case_id": report["case_id"],
        "referral_id": str(referral_id),
        "need_id": need["need_id"],
        "need": need["need"],
        "program": program,
        "submitted_at": report["submitted_at"],
        "record_only": False,
        "answer_by": answer_by,
    }


def case_routed(report: dict[str, Any], routed: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """Return the event that tells where the needs went."""
    return {
        "type": "case.routed.v1",
        "case_id": report["case_id"],
        "routed": routed,
        "unrouted": [],
        "submitted_at": report["submitted_at"],
        "routed_at": now,
        "record_only": False,
    }


def outbox_rows(case_id: UUID, cause: UUID, record: Record, said: Sequence[Said], now: datetime) -> Iterable[Row]:
    """Return the rows of the outbox, numbered for each topic."""
    numbers: Counter[str] = Counter()
    happened_at, traceparent = write_time(now), header(record, 11)
    for topic, event, about, label in said:
        numbers[topic] += 1
        identity = event_id(cause, topic, event["type"], about)
        yield (
            shard_of(case_id), topic, case_id, identity, event["type"], happened_at, label, cause, traceparent,
            orjson.dumps(event).decode(), numbers[topic],
        )  # fmt: skip


def event_id(cause: UUID, topic: str, event_type: str, about: str) -> UUID:
    """Derive the id of an event."""
    return uuid5(_IDS, f"{cause}|{topic}|{event_type}|{about}")


def released(report: dict[str, Any], need: str, plan: ReleasePlan, person: Person) -> dict[str, Any]:
    """Open what the plan gives to the agency."""
    sealed = report["sealed"]
    released = {
        group.value: orjson.loads(Vault.open(person, group, sealed[group.value]))
        for group in plan.groups
        if group.value in sealed
    }
    if "narrative" in released and "identity" not in plan.groups:
        released["narrative"]["description"] = redact(released["narrative"]["description"])
    released["need"] = {"service_code": report["service_code"], "need": need, "urgency": report["urgency"]}
    released["location"] = report["place"]
    released["language_access"] = {"language": report["language"]}
    return {"released": released, "withheld": plan.withheld, "terms": [term._asdict() for term in plan.terms]}


def receipt_of(
    told: tuple[UUID, UUID, UUID, datetime], plan: ReleasePlan, given: dict[str, Any], person: Person
) -> Row:
    """Return the row of a receipt."""
    receipt_id, case_id, referral_id, now = told
    groups = ",".join(given["released"])
    grounds = orjson.dumps([ground._asdict() for ground in plan.verdicts[FieldGroup.NEED].grounds]).decode()
    digest = hmac.digest(person.secret, orjson.dumps(given), "sha256").hex()
    return (
        receipt_id, case_id, referral_id, plan.agency, now, "event", "full", f"{{{groups}}}", grounds,
        "service-delivery", plan.policy_set, f"\\x{digest}",
    )  # fmt: skip


def disclosed(receipt: Row) -> dict[str, Any]:
    """Return the event that tells of a disclosure."""
    names = ("receipt_id", "case_id", "referral_id", "agency", "occurred_at", "channel", "form", "groups", "grounds")
    said = {"type": "disclosure.made.v1"} | dict(zip(names, receipt, strict=False))
    return {name: str(value) if isinstance(value, UUID) else value for name, value in said.items()}


def header(record: Record, place: int) -> str:
    """Return a header by its place."""
    return record.headers[place][1].decode()


_CELLS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _: "\\N",
    UUID: attrgetter("hex"),
    datetime: datetime.isoformat,
}
"""Cheaper ways than `str` to write a cell of these types for COPY."""


async def copy_rows(tx: Transaction, target: str, rows: Iterable[Row]) -> None:
    """Copy rows into `target`, a `table (columns)`."""
    await copy_text(tx, target, "".join([_line(row) for row in rows]))


def _line(row: Row) -> str:
    line = "\t".join([cell if type(cell) is str else _CELLS.get(type(cell), str)(cell) for cell in row])
    # A backslash, tab or line break in a cell must be escaped; few rows have one, so the others skip the replacements.
    if line.count("\\") != row.count(None) or line.count("\t") != len(row) - 1 or "\n" in line or "\r" in line:
        line = "\t".join([_escape(cell) for cell in row])
    return line + "\n"


def _escape(cell: object) -> str:
    if cell is None:
        return "\\N"
    text = str(cell).replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")
