"""Writes decided cases: what is new, and all events, by one statement; what has changed, by one for each table."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import psycopg

from services.routing.domain.case import CaseState, TriageEntry
from services.routing.domain.decision import CaseDecision, DeniedDisclosure, Disclosure, HistoryEntry
from services.routing.domain.referral import Referral
from services.routing.store.receipts import receipt_row
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import TRANSIENT_ERRORS, Transaction, UnavailableError
from shared.kit.database.rows import Row, array_literal, rows_to_json
from shared.kit.messaging.outbox import ENQUEUE_SQL, OutboxEvent, events_to_json

EncryptWords = Callable[[CaseSubmitted, str], str | None]
"""Encrypts an agency's own words under the key of the person whom the report is about; None if the key is erased."""

NewRows = Mapping[str, Iterable[Row]]
"""Rows to insert, by table. A row names its columns; a column that it leaves out is NULL."""

_INSERTED_COLUMNS: Final[Mapping[str, str]] = {
    "inbox": "source, event_id",
    "cases": "case_id, report, resolution, resolved_at, service_request_id, routed_at",
    "referrals": (
        "case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by, due_at,"
        " reminders, state, last_change, reason, changes, record_only"
    ),
    "referral_changes": "case_id, referral_id, number, change, occurred_at, by, cause, reason, why, words",
    "receipts": (
        "receipt_id, case_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose, policy_set,"
        " digest, shown_from"
    ),
    "consent_uses": "consent_id, receipt_id, case_id, referral_id, agency, groups",
    "triage": (
        "case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to, ended_at"
    ),
    "refused_disclosures": "case_id, need_id, agency, cause, refused_at, why, policy_set",
}


def _insert_sql(table: str, columns: str) -> str:
    rows = f"json_populate_recordset(NULL::{table}, %({table})s::json)"
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {rows}"  # noqa: S608 - our own names


_INSERT_ROWS: Final = f"""
    -- All that a batch adds, and all events that it publishes: one statement is one round trip.
    WITH {", ".join(f"new_{table} AS ({_insert_sql(table, columns)})" for table, columns in _INSERTED_COLUMNS.items())},
    {ENQUEUE_SQL}
    SELECT count(*) FROM notified
"""  # noqa: S608 - our own names

_UPDATE_REFERRALS: Final = """
    -- What referrals have become that existed before.
    UPDATE referrals AS r SET due_at = s.due_at, reminders = s.reminders, state = s.state, last_change = s.last_change,
        reason = s.reason, changed_at = s.changed_at, changes = s.changes
    FROM json_populate_recordset(NULL::referrals, %s::json) AS s
    WHERE r.case_id = s.case_id AND r.referral_id = s.referral_id
"""

_UPDATE_RESOLUTIONS: Final = """
    -- How cases ended that existed before.
    UPDATE cases AS c SET resolution = s.resolution, resolved_at = s.resolved_at
    FROM json_populate_recordset(NULL::cases, %s::json) AS s WHERE c.case_id = s.case_id
"""

_UPDATE_REPORT: Final = """
    -- What is left of a report whose person was erased.
    UPDATE cases SET report = %s WHERE case_id = %s
"""

_UPSERT_TRIAGE: Final = """
    -- Needs of cases that existed before enter the triage queue, or leave it.
    INSERT INTO triage (case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to,
        ended_at)
    SELECT case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to, ended_at
    FROM json_populate_recordset(NULL::triage, %s::json)
    ON CONFLICT (need_id, entered_at) DO UPDATE
    SET ended_by = excluded.ended_by, assigned_to = excluded.assigned_to, ended_at = excluded.ended_at
"""

_MARK_RECALLED: Final = """
    -- What was disclosed under these consents is recalled now.
    UPDATE consent_uses SET recalled_at = clock_timestamp()
    WHERE consent_id = ANY(%s::text::uuid[]) AND recalled_at IS NULL
"""

_ROW_ERRORS: Final = (psycopg.DataError, psycopg.IntegrityError)
"""Errors of one row: it would fail again. Every other error of an INSERT is one of the table, and may pass."""


async def update_cases(tx: Transaction, known: Mapping[UUID, CaseState], decisions: Sequence[CaseDecision]) -> None:
    """Write what the decisions changed in cases that existed before; `known` is how they were when they were locked.

    Call it before the new rows are inserted: a referral that ends must leave the unique index of open referrals
    before a new one to the same program enters it.
    """
    latest = _latest(decisions)
    before = {case_id: known[case_id] for case_id in latest if case_id in known}
    if not before:
        return
    after = {case_id: latest[case_id].case for case_id in before}
    await _update_referrals(tx, before, after)
    await _update_resolutions(tx, before, after)
    await _update_reports(tx, before, after)
    await _upsert_triage(tx, before, latest)


def new_rows(
    known: Mapping[UUID, CaseState], decisions: Sequence[CaseDecision], encrypt: EncryptWords
) -> dict[str, list[Row]]:
    """Return the rows that decisions add. Decisions of one case follow one another: the last one has its state."""
    latest = _latest(decisions)
    new = [decision for case_id, decision in latest.items() if case_id not in known]
    return {
        "cases": [_case_row(decision) for decision in new],
        "triage": [_triage_row(decision, entry) for decision in new for entry in decision.case.triage.values()],
        "referrals": [_referral_row(case, referral) for case, referral in _new_referrals(known, latest)],
        "referral_changes": [_change_row(each, entry, encrypt) for each in decisions for entry in each.history],
        "receipts": [receipt_row(disclosure.receipt) for each in decisions for disclosure in each.disclosures],
        "consent_uses": [row for each in decisions for disclosure in each.disclosures for row in _use_rows(disclosure)],
        "refused_disclosures": [_denial_row(each, denial) for each in decisions for denial in each.denials],
    }


async def insert_rows(tx: Transaction, rows: NewRows, events: Sequence[OutboxEvent] = ()) -> None:
    """Insert rows, and queue events to be published.

    Raises:
        UnavailableError: a table cannot be written now, whatever is in the rows. The caller's transaction fails and is
            tried again later: without a receipt nothing may be disclosed.
        psycopg.Error: the database cannot be reached, or one of the rows is invalid.
    """
    written = {table: list(rows.get(table, ())) for table in _INSERTED_COLUMNS}
    if not events and not any(written.values()):
        return
    parameters = {table: rows_to_json(each) for table, each in written.items()}
    try:
        await tx.execute(_INSERT_ROWS, {**parameters, "events": events_to_json(events)})
    except (*TRANSIENT_ERRORS, *_ROW_ERRORS):
        raise
    except psycopg.Error as error:
        raise UnavailableError(f"cases and receipts cannot be written: {type(error).__name__}") from error


async def mark_recalled(tx: Transaction, decisions: Sequence[CaseDecision]) -> None:
    """Record that what was disclosed under the consents that the decisions recall is recalled.

    Call it after the new rows are inserted: a batch may disclose something and then recall it.
    """
    recalled = [consent_id for decision in decisions for consent_id in decision.recalled_consents]
    if recalled:
        await tx.execute(_MARK_RECALLED, (array_literal(recalled),))


async def _update_referrals(tx: Transaction, before: Mapping[UUID, CaseState], after: Mapping[UUID, CaseState]) -> None:
    changed = [
        _referral_row(after[case_id], referral)
        for case_id, case in before.items()
        for referral_id, referral in after[case_id].referrals.items()
        if referral is not case.referrals.get(referral_id, referral)
    ]
    if changed:
        await tx.execute(_UPDATE_REFERRALS, (rows_to_json(changed),))


async def _update_resolutions(
    tx: Transaction, before: Mapping[UUID, CaseState], after: Mapping[UUID, CaseState]
) -> None:
    ended = [
        {"case_id": case_id, "resolution": after[case_id].resolution, "resolved_at": after[case_id].resolved_at}
        for case_id, case in before.items()
        if case.resolution is not after[case_id].resolution
    ]
    if ended:
        await tx.execute(_UPDATE_RESOLUTIONS, (rows_to_json(ended),))


async def _update_reports(tx: Transaction, before: Mapping[UUID, CaseState], after: Mapping[UUID, CaseState]) -> None:
    for case_id, case in before.items():
        if case.text != after[case_id].text:
            await tx.execute(_UPDATE_REPORT, (after[case_id].text, case_id))


async def _upsert_triage(
    tx: Transaction, before: Mapping[UUID, CaseState], latest: Mapping[UUID, CaseDecision]
) -> None:
    rows = [
        _triage_row(latest[case_id], entry)
        for case_id, case in before.items()
        for need_id, entry in latest[case_id].case.triage.items()
        if entry is not case.triage.get(need_id)
    ]
    if rows:
        await tx.execute(_UPSERT_TRIAGE, (rows_to_json(rows),))


def _latest(decisions: Iterable[CaseDecision]) -> dict[UUID, CaseDecision]:
    return {decision.case.report.case_id: decision for decision in decisions}


def _new_referrals(
    known: Mapping[UUID, CaseState], latest: Mapping[UUID, CaseDecision]
) -> Iterator[tuple[CaseState, Referral]]:
    for case_id, decision in latest.items():
        old = known[case_id].referrals if case_id in known else {}
        for referral_id, referral in decision.case.referrals.items():
            if referral_id not in old:
                yield decision.case, referral


def _case_row(decision: CaseDecision) -> Row:
    case = decision.case
    return {
        "case_id": case.report.case_id,
        "report": case.text,
        "resolution": case.resolution,
        "resolved_at": case.resolved_at,
        "service_request_id": case.report.service_request_id,
        # A batch is decided at one moment: this is when the case was routed, though a later event decided last.
        "routed_at": decision.decided_at,
    }


def _referral_row(case: CaseState, referral: Referral) -> Row:
    return {"case_id": case.report.case_id, **referral._asdict()}


def _change_row(decision: CaseDecision, entry: HistoryEntry, encrypt: EncryptWords) -> Row:
    report = decision.case.report
    return {
        "case_id": report.case_id,
        "referral_id": entry.referral_id,
        "number": entry.number,
        "change": entry.transition,
        "occurred_at": entry.at,
        "by": decision.cause.by,
        "cause": decision.cause.id,
        "reason": entry.reason,
        "why": entry.why,
        "words": encrypt(report, entry.words) if entry.words else None,
    }


def _triage_row(decision: CaseDecision, entry: TriageEntry) -> Row:
    report = decision.case.report
    return {
        "case_id": report.case_id,
        "need_id": entry.need.need_id,
        "entered_at": entry.since,
        "need": entry.need.need,
        "service_code": report.service_code,
        "district": report.place.district,
        "reason": entry.reason,
        "why": entry.why,
        "ended_by": entry.ended_by,
        "assigned_to": entry.assigned_to,
        "ended_at": None if entry.is_open else decision.decided_at,
    }


def _use_rows(disclosure: Disclosure) -> Iterator[Row]:
    receipt = disclosure.receipt
    for consent_id, groups in disclosure.consents.items():
        yield {
            "consent_id": consent_id,
            "receipt_id": receipt.receipt_id,
            "case_id": receipt.case_id,
            "referral_id": receipt.referral_id,
            "agency": receipt.agency,
            "groups": groups,
        }


def _denial_row(decision: CaseDecision, denial: DeniedDisclosure) -> Row:
    return {
        "case_id": decision.case.report.case_id,
        "need_id": denial.need_id,
        "agency": denial.agency,
        "cause": decision.cause.id,
        "refused_at": decision.decided_at,
        "why": denial.policies,
        "policy_set": decision.policy_set,
    }
