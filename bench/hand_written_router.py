"""A router written by hand for speed: it writes the rows that routing writes for new cases, with the least work.

It trusts its input and handles new cases only; it has no states, no dead letters, no traces and no texts for people.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from services.routing.domain.city import PlacementQuery, RoutingCity
from services.routing.domain.placement import Placed, place
from shared.events.fields import FieldGroup
from shared.events.wire import write_time
from shared.kit.database.database import Database, Transaction
from shared.kit.database.rows import array_literal, copy_text
from shared.kit.messaging import inbox
from shared.kit.messaging.messages import Record
from shared.kit.messaging.outbox import NOTIFY_SQL, shard_of
from shared.kit.vault.consents import LOCK_CONSENTS_SQL
from shared.kit.vault.vault import Person, Vault
from shared.policy.plan import ReleasePlan
from shared.policy.redaction import redact

Row = tuple[object, ...]
EventTuple = tuple[str, dict[str, Any], str, str]
"""A topic, an event, the id of its subject, and its classification."""

_IDS = uuid5(NAMESPACE_URL, "urn:handoff:event")


def common_of(
    report: dict[str, Any], need: dict[str, str], program: str, referral_id: UUID, answer_by: datetime
) -> dict[str, Any]:
    """Return the fields that both events about a referral have."""
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
    """Return the event with the referrals of the needs."""
    return {
        "type": "case.routed.v1",
        "case_id": report["case_id"],
        "routed": routed,
        "unrouted": [],
        "submitted_at": report["submitted_at"],
        "routed_at": now,
        "record_only": False,
    }


def outbox_rows(
    case_id: UUID, cause: UUID, record: Record, events: Sequence[EventTuple], now: datetime
) -> Iterable[Row]:
    """Yield the rows of the outbox; the events of each topic are numbered."""
    numbers: Counter[str] = Counter()
    happened_at, traceparent = write_time(now), header(record, 11)
    for topic, event, about, label in events:
        numbers[topic] += 1
        identity = event_id(cause, topic, event["type"], about)
        yield (
            shard_of(case_id), topic, case_id, identity, event["type"], happened_at, label, cause, traceparent,
            orjson.dumps(event).decode(), numbers[topic],
        )  # fmt: skip


def event_id(cause: UUID, topic: str, event_type: str, about: str) -> UUID:
    """Return the derived id of an event."""
    return uuid5(_IDS, f"{cause}|{topic}|{event_type}|{about}")


def released(report: dict[str, Any], need: str, plan: ReleasePlan, person: Person) -> dict[str, Any]:
    """Return the data that the plan releases to the agency."""
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


def receipt_of(ids: tuple[UUID, UUID, UUID, datetime], plan: ReleasePlan, given: dict[str, Any], person: Person) -> Row:
    """Return the row of a receipt."""
    receipt_id, case_id, referral_id, now = ids
    groups = ",".join(given["released"])
    grounds = orjson.dumps([ground._asdict() for ground in plan.verdicts[FieldGroup.NEED].grounds]).decode()
    digest = hmac.digest(person.secret, orjson.dumps(given), "sha256").hex()
    return (
        receipt_id, case_id, referral_id, plan.agency, now, "event", "full", f"{{{groups}}}", grounds,
        "service-delivery", plan.policy_set, f"\\x{digest}",
    )  # fmt: skip


def disclosed(receipt: Row) -> dict[str, Any]:
    """Return the event about a disclosure."""
    names = ("receipt_id", "case_id", "referral_id", "agency", "occurred_at", "channel", "form", "groups", "grounds")
    event = {"type": "disclosure.made.v1"} | dict(zip(names, receipt, strict=False))
    return {name: str(value) if isinstance(value, UUID) else value for name, value in event.items()}


def header(record: Record, place: int) -> str:
    """Return the value of the header at a position."""
    return record.headers[place][1].decode()


_CELLS: Final[Mapping[type, Callable[[Any], str]]] = {
    type(None): lambda _: "\\N",
    UUID: attrgetter("hex"),
    datetime: datetime.isoformat,
}
"""Faster conversions than `str` for cells of these types in COPY."""


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


Rows = dict[str, list[tuple[object, ...]]]
"""The rows of one batch by their table and columns."""

CASES: Final = "cases (case_id, report, resolution, resolved_at, service_request_id, routed_at)"
REFERRALS: Final = (
    "referrals (case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by, due_at,"
    " reminders, state, last_change, reason, changes, record_only)"
)
CHANGES: Final = "referral_changes (case_id, referral_id, number, change, occurred_at, by, cause, reason, why, words)"
RECEIPTS: Final = (
    "receipts (receipt_id, case_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose, policy_set,"
    " digest)"
)
SEQUENCES: Final = "outbox_sequences (topic, case_id, last)"
OUTBOX: Final = (
    "outbox (shard, topic, case_id, event_id, event_type, happened_at, classification, causation_id, traceparent,"
    " value, sequence)"
)
_LOCK_CONSENTS: Final = LOCK_CONSENTS_SQL.format("%s")


class HandWrittenRouter:
    """Routes batches of new cases."""

    def __init__(self, database: Database, city: RoutingCity, vault: Vault) -> None:
        self._database = database
        self._city = city
        self._vault = vault
        self._placed: dict[tuple[str, str, str | None, str], tuple[Placed, ReleasePlan]] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Route one batch in one transaction."""
        async with self._database.transaction() as tx:
            received = [(header(record, 3), UUID(header(record, 1))) for record in records]
            fresh = await inbox.record_new(tx, received)
            reports = [
                (event_id, record, orjson.loads(record.value or b""))
                for (source, event_id), record in zip(received, records, strict=True)
                if (source, event_id) in fresh
            ]
            await tx.execute(_LOCK_CONSENTS, (array_literal(report["case_id"] for _, _, report in reports),))
            people = await self._vault.load(tx, [UUID(report["person_id"]) for _, _, report in reports])
            ((now,),) = await (await tx.execute("SELECT clock_timestamp()", binary=True)).fetchall()
            rows: Rows = defaultdict(list)
            for cause, record, report in reports:
                self._add_rows(rows, (cause, record, now), report, people[UUID(report["person_id"])])
            await _write(tx, rows)

    def _add_rows(
        self, rows: Rows, received: tuple[UUID, Record, datetime], report: dict[str, Any], person: Person
    ) -> None:
        cause, record, now = received
        case_id = UUID(report["case_id"])
        events: list[EventTuple] = []
        routed = []
        for need in report["needs"]:
            placed, plan = self._place(need["need"], report, now)
            program, need_id = placed.program, UUID(need["need_id"])
            referral_id, answer_by = uuid5(need_id, f"{program.name}|1"), now + program.answer_within
            common = common_of(report, need, program.id, referral_id, answer_by)
            topic = f"agency.{program.agency}.inbox.v1"
            receipt_id = event_id(cause, topic, "referral.requested.v1", str(referral_id))
            given = common | {"sent_at": now, "receipt_id": receipt_id} | released(report, need["need"], plan, person)
            receipt = receipt_of((receipt_id, case_id, referral_id, now), plan, given, person)
            requested = common | {"agency": program.agency, "occurred_at": now, "attempt": 1}
            events.append(("routing.referrals.v1", requested, str(referral_id), "internal"))
            events.append((topic, given, str(referral_id), "confidential"))
            events.append(("routing.referrals.v1", disclosed(receipt), str(receipt_id), "internal"))
            routed.append(common)
            referral = (case_id, referral_id, need_id, need["need"], program.agency, program.id)
            state = (1, now, now, answer_by, answer_by, 0, "requested", "requested", None, 1, False)
            rows[REFERRALS].append((*referral, *state))
            rows[CHANGES].append((case_id, referral_id, 1, "requested", now, "routing", cause, None, placed.why, None))
            rows[RECEIPTS].append(receipt)
        events.append(("routing.referrals.v1", case_routed(report, routed, now), "", "internal"))
        text, number = (record.value or b"").decode(), report["service_request_id"]
        rows[CASES].append((case_id, text, None, None, number, now))
        rows[OUTBOX] += outbox_rows(case_id, cause, record, events, now)

    def _place(self, need: str, report: dict[str, Any], now: datetime) -> tuple[Placed, ReleasePlan]:
        service, district, urgency = report["service_code"], report["place"].get("district"), report["urgency"]
        key = (need, service, district, urgency)
        if key not in self._placed:
            query = PlacementQuery(need, service, district, urgency, (), now)
            placed = cast("Placed", place(query, self._city))
            self._placed[key] = placed, self._city.plan(placed.program.agency, query)
        return self._placed[key]


async def _write(tx: Transaction, rows: Rows) -> None:
    counted = Counter((row[1], row[2]) for row in rows[OUTBOX])
    rows[SEQUENCES] = [(*key, last) for key, last in counted.items()]
    for target in (CASES, REFERRALS, CHANGES, RECEIPTS, SEQUENCES, OUTBOX):
        await copy_rows(tx, target, rows[target])
    await tx.execute(NOTIFY_SQL)
