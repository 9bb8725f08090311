"""Puts decided cases into the database: what is new by one statement, what has changed by one for each table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from services.routing.domain.case import CaseState, TriageEntry
from services.routing.domain.decision import CaseDecision, HistoryEntry
from services.routing.domain.referral import Referral
from services.routing.store.disclosures import note_barred, note_given
from services.routing.store.new_cases import NewRows
from shared.events.intake import CaseSubmitted
from shared.kit.database.database import Transaction
from shared.kit.database.rows import Row, rows_to_json

Seal = Callable[[CaseSubmitted, str], str | None]
"""Seals an agency's own words under the key of the person whom the report is about; None when there is no key."""

_MOVE_REFERRALS = """
    -- What has become of referrals that were there before.
    UPDATE referrals AS r SET due_at = s.due_at, reminders = s.reminders, state = s.state, last_change = s.last_change,
        reason = s.reason, changed_at = s.changed_at, changes = s.changes
    FROM json_populate_recordset(NULL::referrals, %s::json) AS s
    WHERE r.case_id = s.case_id AND r.referral_id = s.referral_id
"""

_RESOLVE_CASES = """
    -- How cases ended that were there before.
    UPDATE cases AS c SET resolution = s.resolution, resolved_at = s.resolved_at
    FROM json_populate_recordset(NULL::cases, %s::json) AS s WHERE c.case_id = s.case_id
"""

_REWRITE = """
    -- What is left of a report whose person was erased.
    UPDATE cases SET report = %s WHERE case_id = %s
"""

_TRIAGE = """
    -- Needs of cases that were there before come to the triage desk, or leave it.
    INSERT INTO triage (case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to,
        ended_at)
    SELECT case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to, ended_at
    FROM json_populate_recordset(NULL::triage, %s::json)
    ON CONFLICT (need_id, entered_at) DO UPDATE
    SET ended_by = excluded.ended_by, assigned_to = excluded.assigned_to, ended_at = excluded.ended_at
"""


async def save_cases(
    tx: Transaction, known: Mapping[UUID, CaseState], turns: Sequence[CaseDecision], seal: Seal, additions: NewRows
) -> None:
    """Keep what the turns made of cases, and what they gave, with whatever else is to be added.

    `known` is what the cases were when they were locked; where none was, all of it is one statement.

    Turns of one case follow one another, so that the last one's case is what is kept. Old referrals are closed before
    new ones are added: a need may be handed to the same program again.

    Raises:
        UnavailableError: not all of it can be written now, so nothing may be given.
    """
    latest = {turn.report.case_id: turn for turn in turns}
    final = {case_id: turn.case for case_id, turn in latest.items()}
    before = {case_id: known[case_id] for case_id in final if case_id in known}
    if before:
        await _move_referrals(tx, before, final)
        await _resolve_cases(tx, before, final)
        await _rewrite_reports(tx, before, final)
        await _move_waiting(tx, before, latest)
    new = [turn for case_id, turn in latest.items() if case_id not in before]
    additions.note("cases", map(_case_row, new))
    additions.note("triage", [_triage_row(turn, waiting) for turn in new for waiting in turn.case.waiting.values()])
    additions.note("referrals", [_referral_row(case, made) for case, made in _new_referrals(before, final)])
    additions.note("referral_changes", [_change_row(turn, noted, seal) for turn in turns for noted in turn.noted])
    note_given(additions, [given for turn in turns for given in turn.given])
    note_barred(additions, turns)
    await additions.write(tx)


async def _move_referrals(tx: Transaction, before: Mapping[UUID, CaseState], final: Mapping[UUID, CaseState]) -> None:
    moved = [
        _referral_row(final[case_id], now)
        for case_id, case in before.items()
        for referral_id, now in final[case_id].referrals.items()
        if now is not case.referrals.get(referral_id, now)
    ]
    if moved:
        await tx.execute(_MOVE_REFERRALS, (rows_to_json(moved),))


async def _resolve_cases(tx: Transaction, before: Mapping[UUID, CaseState], final: Mapping[UUID, CaseState]) -> None:
    ended = [
        {"case_id": case_id, "resolution": final[case_id].resolution, "resolved_at": final[case_id].resolved_at}
        for case_id, case in before.items()
        if case.resolution is not final[case_id].resolution
    ]
    if ended:
        await tx.execute(_RESOLVE_CASES, (rows_to_json(ended),))


async def _rewrite_reports(tx: Transaction, before: Mapping[UUID, CaseState], final: Mapping[UUID, CaseState]) -> None:
    for case_id, case in before.items():
        if case.text != final[case_id].text:
            await tx.execute(_REWRITE, (final[case_id].text, case_id))


async def _move_waiting(tx: Transaction, before: Mapping[UUID, CaseState], latest: Mapping[UUID, CaseDecision]) -> None:
    rows = [
        _triage_row(latest[case_id], waiting)
        for case_id, case in before.items()
        for need_id, waiting in latest[case_id].case.waiting.items()
        if waiting is not case.waiting.get(need_id)
    ]
    if rows:
        await tx.execute(_TRIAGE, (rows_to_json(rows),))


def _new_referrals(
    before: Mapping[UUID, CaseState], final: Mapping[UUID, CaseState]
) -> Iterator[tuple[CaseState, Referral]]:
    for case_id, case in final.items():
        old = before[case_id].referrals if case_id in before else {}
        for referral_id, referral in case.referrals.items():
            if referral_id not in old:
                yield case, referral


def _case_row(turn: CaseDecision) -> Row:
    """Write a case that is new: a batch is decided at one moment, whichever turn of it was the last."""
    case = turn.case
    return {
        "case_id": case.report.case_id,
        "report": case.text,
        "resolution": case.resolution,
        "resolved_at": case.resolved_at,
        "service_request_id": case.report.service_request_id,
        "routed_at": turn.around.now,
    }


def _referral_row(case: CaseState, referral: Referral) -> Row:
    return {"case_id": case.report.case_id, **referral._asdict()}


def _change_row(turn: CaseDecision, noted: HistoryEntry, seal: Seal) -> Row:
    return {
        "case_id": turn.report.case_id,
        "referral_id": noted.referral.referral_id,
        "number": noted.number,
        "change": noted.change,
        "occurred_at": noted.at,
        "by": turn.prompt.by,
        "cause": turn.prompt.cause,
        "reason": noted.reason,
        "why": noted.why,
        "words": seal(turn.report, noted.words) if noted.words else None,
    }


def _triage_row(turn: CaseDecision, waiting: TriageEntry) -> Row:
    return {
        "case_id": turn.report.case_id,
        "need_id": waiting.need.need_id,
        "entered_at": waiting.since,
        "need": waiting.need.need,
        "service_code": turn.report.service_code,
        "district": turn.report.place.district,
        "reason": waiting.reason,
        "why": waiting.why,
        "ended_by": waiting.ended_by,
        "assigned_to": waiting.assigned_to,
        "ended_at": turn.around.now if waiting.ended_by else None,
    }
