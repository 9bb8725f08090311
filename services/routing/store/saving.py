"""Puts decided cases into the database: new rows by COPY, changed ones by COPY and one statement for each table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from services.routing.domain.case import Case, Waiting
from services.routing.domain.referral import Referral
from services.routing.domain.turn import Noted, Turn
from shared.events.intake import CaseSubmitted
from shared.kit.copying import copy_rows
from shared.kit.database import Transaction

Row = tuple[object, ...]
Seal = Callable[[CaseSubmitted, str], str | None]
"""Seals an agency's own words under the key of the person whom the report is about; None when there is no key."""

_CASES = "cases (case_id, report, resolution, resolved_at, service_request_id, routed_at)"

_REFERRALS = """
    referrals (case_id, referral_id, need_id, need, agency, program, attempt, asked_at, changed_at, answer_by,
        due_at, reminders, state, last_change, reason, changes, record_only)
"""

_CHANGES = "referral_changes (case_id, referral_id, number, change, occurred_at, by, cause, reason, why, words)"

_STAGE_REFERRALS = """
    referral_stage (case_id, referral_id, due_at, reminders, state, last_change, reason, changed_at, changes)
"""

_MOVE_REFERRALS = """
    -- What has become of referrals that were there before.
    UPDATE referrals AS r SET due_at = s.due_at, reminders = s.reminders, state = s.state, last_change = s.last_change,
        reason = s.reason, changed_at = s.changed_at, changes = s.changes
    FROM referral_stage s WHERE r.case_id = s.case_id AND r.referral_id = s.referral_id
"""

_STAGE_RESOLUTIONS = "resolution_stage (case_id, resolution, resolved_at)"

_RESOLVE_CASES = """
    -- How cases ended that were there before.
    UPDATE cases AS c SET resolution = s.resolution, resolved_at = s.resolved_at
    FROM resolution_stage s WHERE c.case_id = s.case_id
"""

_REWRITE = """
    -- What is left of a report whose person was erased.
    UPDATE cases SET report = %s WHERE case_id = %s
"""

_TRIAGE = """
    -- A need comes to the triage desk, or leaves it.
    INSERT INTO triage (case_id, need_id, entered_at, need, service_code, district, reason, why, ended_by, assigned_to,
        ended_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN clock_timestamp() END)
    ON CONFLICT (need_id, entered_at) DO UPDATE
    SET ended_by = excluded.ended_by, assigned_to = excluded.assigned_to, ended_at = excluded.ended_at
"""


async def save(tx: Transaction, known: Mapping[UUID, Case], turns: Sequence[Turn], seal: Seal) -> None:
    """Keep what the turns made of cases; `known` is what these were when they were locked.

    Turns of one case follow one another, so that the last one's case is what is kept. Old referrals are closed before
    new ones are added: a need may be handed to the same program again.
    """
    latest = {turn.report.case_id: turn for turn in turns}
    final = {case_id: turn.case for case_id, turn in latest.items()}
    before = {case_id: known[case_id] for case_id in final if case_id in known}
    if before:
        await _move_referrals(tx, before, final)
        await _resolve_cases(tx, before, final)
        await _rewrite_reports(tx, before, final)
    await copy_rows(tx, _CASES, [_case_row(turn) for case_id, turn in latest.items() if case_id not in before])
    await copy_rows(tx, _REFERRALS, [(case.report.case_id, *new) for case, new in _new_referrals(before, final)])
    await copy_rows(tx, _CHANGES, [_change_row(turn, noted, seal) for turn in turns for noted in turn.noted])
    await _save_triage(tx, before, final)


async def _move_referrals(tx: Transaction, before: Mapping[UUID, Case], final: Mapping[UUID, Case]) -> None:
    moved = [
        _moved_row(case_id, now)
        for case_id, case in before.items()
        for referral_id, now in final[case_id].referrals.items()
        if now is not case.referrals.get(referral_id, now)
    ]
    if moved:
        await copy_rows(tx, _STAGE_REFERRALS, moved)
        await tx.execute(_MOVE_REFERRALS)


async def _resolve_cases(tx: Transaction, before: Mapping[UUID, Case], final: Mapping[UUID, Case]) -> None:
    ended = [
        (case_id, final[case_id].resolution, final[case_id].resolved_at)
        for case_id, case in before.items()
        if case.resolution is not final[case_id].resolution
    ]
    if ended:
        await copy_rows(tx, _STAGE_RESOLUTIONS, ended)
        await tx.execute(_RESOLVE_CASES)


async def _rewrite_reports(tx: Transaction, before: Mapping[UUID, Case], final: Mapping[UUID, Case]) -> None:
    for case_id, case in before.items():
        if case.text != final[case_id].text:
            await tx.execute(_REWRITE, (final[case_id].text, case_id))


async def _save_triage(tx: Transaction, before: Mapping[UUID, Case], final: Mapping[UUID, Case]) -> None:
    rows = [
        _triage_row(case.report, waiting)
        for case_id, case in final.items()
        for need_id, waiting in case.waiting.items()
        if case_id not in before or waiting is not before[case_id].waiting.get(need_id)
    ]
    if rows:
        async with tx.cursor() as cursor:
            await cursor.executemany(_TRIAGE, rows)


def _new_referrals(before: Mapping[UUID, Case], final: Mapping[UUID, Case]) -> Iterator[tuple[Case, Referral]]:
    for case_id, case in final.items():
        old = before[case_id].referrals if case_id in before else {}
        for referral_id, referral in case.referrals.items():
            if referral_id not in old:
                yield case, referral


def _case_row(turn: Turn) -> Row:
    """Write a case that is new: a batch is decided at one moment, whichever turn of it was the last."""
    case = turn.case
    number = case.report.service_request_id
    return (case.report.case_id, case.text, case.resolution, case.resolved_at, number, turn.around.now)


def _moved_row(case_id: UUID, referral: Referral) -> Row:
    return (
        case_id,
        referral.referral_id,
        referral.due_at,
        referral.reminders,
        referral.state,
        referral.last_change,
        referral.reason,
        referral.changed_at,
        referral.changes,
    )


def _change_row(turn: Turn, noted: Noted, seal: Seal) -> Row:
    return (
        turn.report.case_id,
        noted.referral.referral_id,
        noted.number,
        noted.change,
        noted.at,
        turn.prompt.by,
        turn.prompt.cause,
        noted.reason,
        noted.why,
        seal(turn.report, noted.words) if noted.words else None,
    )


def _triage_row(report: CaseSubmitted, waiting: Waiting) -> Row:
    return (
        report.case_id,
        waiting.need.need_id,
        waiting.since,
        waiting.need.need,
        report.service_code,
        report.place.district,
        waiting.reason,
        waiting.why,
        waiting.ended_by,
        waiting.assigned_to,
        waiting.ended_by is not None,
    )
