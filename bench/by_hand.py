"""Routing written by hand for nothing but speed: the rows that the service writes for new cases, by the shortest way.

It trusts its input, knows no case before, and has no states, no dead letters, no traces and no words for people.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid5

import orjson

from bench.hand_rows import (
    Said,
    case_routed,
    common_of,
    copy_rows,
    disclosed,
    event_id,
    header,
    outbox_rows,
    receipt_of,
    released,
)
from services.routing.domain.placement import Placed, PlacementQuery, RoutingCity, place
from shared.kit.database.database import Database, Transaction
from shared.kit.database.rows import array_literal
from shared.kit.messaging import inbox
from shared.kit.messaging.messages import Record
from shared.kit.messaging.outbox import NOTIFY_SQL
from shared.kit.vault.consents import LOCK_CONSENTS_SQL
from shared.kit.vault.vault import Person, Vault
from shared.policy.plan import ReleasePlan

Rows = dict[str, list[tuple[object, ...]]]
"""The rows of one batch, by where they go."""

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


class Loop:
    """Works on batches of new cases."""

    def __init__(self, database: Database, city: RoutingCity, vault: Vault) -> None:
        self._database = database
        self._city = city
        self._vault = vault
        self._placed: dict[tuple[str, str, str | None, str], tuple[Placed, ReleasePlan]] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Write one batch in one transaction."""
        async with self._database.transaction() as tx:
            heard = [(header(record, 3), UUID(header(record, 1))) for record in records]
            fresh = await inbox.record_new(tx, heard)
            reports = [
                (event_id, record, orjson.loads(record.value or b""))
                for (source, event_id), record in zip(heard, records, strict=True)
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
        self, rows: Rows, heard: tuple[UUID, Record, datetime], report: dict[str, Any], person: Person
    ) -> None:
        cause, record, now = heard
        case_id = UUID(report["case_id"])
        said: list[Said] = []
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
            asked = common | {"agency": program.agency, "occurred_at": now, "attempt": 1}
            said.append(("routing.referrals.v1", asked, str(referral_id), "internal"))
            said.append((topic, given, str(referral_id), "confidential"))
            said.append(("routing.referrals.v1", disclosed(receipt), str(receipt_id), "internal"))
            routed.append(common)
            asked_for = (case_id, referral_id, need_id, need["need"], program.agency, program.id)
            state = (1, now, now, answer_by, answer_by, 0, "requested", "requested", None, 1, False)
            rows[REFERRALS].append((*asked_for, *state))
            rows[CHANGES].append((case_id, referral_id, 1, "requested", now, "routing", cause, None, placed.why, None))
            rows[RECEIPTS].append(receipt)
        said.append(("routing.referrals.v1", case_routed(report, routed, now), "", "internal"))
        text, number = (record.value or b"").decode(), report["service_request_id"]
        rows[CASES].append((case_id, text, None, None, number, now))
        rows[OUTBOX] += outbox_rows(case_id, cause, record, said, now)

    def _place(self, need: str, report: dict[str, Any], now: datetime) -> tuple[Placed, ReleasePlan]:
        service, district, urgency = report["service_code"], report["place"].get("district"), report["urgency"]
        key = (need, service, district, urgency)
        if key not in self._placed:
            asking = PlacementQuery(need, service, district, urgency, (), now)
            placed = cast("Placed", place(asking, self._city))
            self._placed[key] = placed, self._city.plan(placed.program.agency, asking)
        return self._placed[key]


async def _write(tx: Transaction, rows: Rows) -> None:
    counted = Counter((row[1], row[2]) for row in rows[OUTBOX])
    rows[SEQUENCES] = [(*key, last) for key, last in counted.items()]
    for target in (CASES, REFERRALS, CHANGES, RECEIPTS, SEQUENCES, OUTBOX):
        await copy_rows(tx, target, rows[target])
    await tx.execute(NOTIFY_SQL)
