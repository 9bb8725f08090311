"""Routing written by hand for nothing but speed: the rows that the service writes for new cases, by the shortest way.

It trusts its input, knows no case before, and has no states, no dead letters, no traces and no words for people.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from services.routing.domain.placing import Asking, City, Placed, place
from shared.events.wire import write_time
from shared.kit import inbox
from shared.kit.copying import copy_rows
from shared.kit.database import Database, Transaction
from shared.kit.messages import Record
from shared.kit.outbox import WAKE, shard_of
from shared.kit.vault import Person, Vault

Row = tuple[object, ...]
Said = tuple[str, dict[str, Any], str, str]
"""A topic, an event, what it is about, and how carefully it must be handled."""

_IDS = uuid5(NAMESPACE_URL, "urn:handoff:event")


class Loop:
    """Works on batches of new cases."""

    def __init__(self, database: Database, city: City, vault: Vault) -> None:
        self._database = database
        self._city = city
        self._vault = vault
        self._placed: dict[tuple[str, str, str | None], Placed] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Write one batch in one transaction."""
        async with self._database.transaction() as tx:
            heard = [(_header(record, 3), UUID(_header(record, 1))) for record in records]
            fresh = await inbox.admit(tx, heard)
            reports = [
                (event_id, record, orjson.loads(record.value or b""))
                for (source, event_id), record in zip(heard, records, strict=True)
                if (source, event_id) in fresh
            ]
            people = await self._vault.load(tx, [UUID(report["person_id"]) for _, _, report in reports])
            ((now,),) = await (await tx.execute("SELECT clock_timestamp()", binary=True)).fetchall()
            await self._write(tx, [self._rows(*each, people, now) for each in reports])

    def _rows(
        self, cause: UUID, record: Record, report: dict[str, Any], people: dict[UUID, Person], now: datetime
    ) -> tuple[Row, list[Row], list[Row], list[Row]]:
        case_id, person = UUID(report["case_id"]), people[UUID(report["person_id"])]
        referrals: list[Row] = []
        changes: list[Row] = []
        said: list[Said] = []
        routed = []
        for need in report["needs"]:
            placed = self._place(need["need"], report["service_code"], report["place"].get("district"))
            program, need_id = placed.program, UUID(need["need_id"])
            referral_id, answer_by = uuid5(need_id, f"{program.name}|1"), now + program.answer_within
            common = _common(report, need, program.id, referral_id, answer_by)
            asked = common | {"agency": program.agency, "occurred_at": now, "attempt": 1}
            given = common | {"sent_at": now} | self._released(report, need["need"], program.agency, person)
            said.append(("routing.referrals.v1", asked, str(referral_id), "internal"))
            said.append((f"agency.{program.agency}.inbox.v1", given, str(referral_id), "confidential"))
            routed.append(common)
            asked_for = (case_id, referral_id, need_id, need["need"], program.agency, program.id)
            referrals.append(
                (*asked_for, 1, now, now, answer_by, answer_by, 0, "requested", "requested", None, 1, False)
            )
            changes.append((case_id, referral_id, 1, "requested", now, "routing", cause, None, placed.why, None))
        said.append(("routing.referrals.v1", _case_routed(report, routed, now), "", "internal"))
        case = (case_id, (record.value or b"").decode(), None, None)
        return case, referrals, changes, list(_outbox(case_id, cause, record, said, now))

    def _released(self, report: dict[str, Any], need: str, agency: str, person: Person) -> dict[str, Any]:
        """Open what the plan gives to the agency."""
        sealed = report["sealed"]
        released = {
            group.value: orjson.loads(Vault.open(person, group, sealed[group.value]))
            for group in self._city.plan.granted_to(agency)
            if group.value in sealed
        }
        released["need"] = {"service_code": report["service_code"], "need": need, "urgency": report["urgency"]}
        released["location"] = report["place"]
        released["language_access"] = {"language": report["language"]}
        return {"released": released, "withheld": [group for group in sealed if group not in released]}

    def _place(self, need: str, service: str, district: str | None) -> Placed:
        key = (need, service, district)
        if key not in self._placed:
            self._placed[key] = cast("Placed", place(Asking(need, service, district), self._city))
        return self._placed[key]

    async def _write(self, tx: Transaction, made: Iterable[tuple[Row, list[Row], list[Row], list[Row]]]) -> None:
        cases, referrals, changes, said = [], [], [], []
        for case, of_referrals, of_changes, of_outbox in made:
            cases.append(case)
            referrals += of_referrals
            changes += of_changes
            said += of_outbox
        counted = Counter((row[1], row[2]) for row in said)
        await copy_rows(tx, "cases (case_id, report, resolution, resolved_at)", cases)
        await copy_rows(
            tx,
            "referrals (case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by,"
            " due_at, reminders, state, last_change, reason, changes, record_only)",
            referrals,
        )
        await copy_rows(
            tx,
            "referral_changes (case_id, referral_id, number, change, occurred_at, by, cause, reason, why, words)",
            changes,
        )
        await copy_rows(tx, "outbox_sequences (topic, case_id, last)", [(*key, last) for key, last in counted.items()])
        await copy_rows(
            tx,
            "outbox (shard, topic, case_id, event_id, event_type, happened_at, classification, causation_id,"
            " traceparent, value, sequence)",
            said,
        )
        await tx.execute(WAKE)


def _common(
    report: dict[str, Any], need: dict[str, str], program: str, referral_id: UUID, answer_by: datetime
) -> dict[str, Any]:
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


def _case_routed(report: dict[str, Any], routed: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    return {
        "type": "case.routed.v1",
        "case_id": report["case_id"],
        "routed": routed,
        "unrouted": [],
        "submitted_at": report["submitted_at"],
        "routed_at": now,
        "record_only": False,
    }


def _outbox(case_id: UUID, cause: UUID, record: Record, said: Sequence[Said], now: datetime) -> Iterable[Row]:
    numbers: Counter[str] = Counter()
    happened_at, traceparent = write_time(now), _header(record, 11)
    for topic, event, about, label in said:
        numbers[topic] += 1
        identity = uuid5(_IDS, f"{cause}|{topic}|{event['type']}|{about}")
        yield (
            shard_of(case_id), topic, case_id, identity, event["type"], happened_at, label, cause, traceparent,
            orjson.dumps(event).decode(), numbers[topic],
        )  # fmt: skip


def _header(record: Record, place: int) -> str:
    return record.headers[place][1].decode()
