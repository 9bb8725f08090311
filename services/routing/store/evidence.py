"""What is on record about the sharing of one case: receipts, recalls, refusals, emergencies, what was not said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from shared.events.topics import AGENCY_INBOX
from shared.kit.database.database import Transaction


class ReceiptRecord(NamedTuple):
    """One disclosure, as the ledger has it."""

    receipt_id: UUID
    referral_id: UUID | None
    agency: str
    given_at: datetime
    channel: str
    form: str
    groups: list[str]
    grounds: list[dict[str, Any]]
    purpose: str
    policy_set: str
    place: int | None


class RecallRecord(NamedTuple):
    """A disclosure that stood on a consent which has fallen, and was recalled."""

    receipt_id: UUID
    agency: str
    consent_id: UUID
    groups: list[str]
    recalled_at: datetime


class DenialRecord(NamedTuple):
    """An agency that was not asked because it may not know of a need; `why` are the ids of the policies."""

    case_id: UUID
    need_id: UUID
    agency: str
    refused_at: datetime
    why: list[str]
    policy_set: str


class WithheldEvent(NamedTuple):
    """An event that was queued for an agency, and not sent because its consent had fallen."""

    event_id: UUID
    agency: str
    type: str
    guards: list[UUID]
    withheld_at: datetime


class AccessRecord(NamedTuple):
    """What a caseworker opened in an emergency against policy, until when, and what a reviewer made of it."""

    access_id: UUID
    referral_id: UUID
    agency: str
    groups: list[str]
    opened_at: datetime
    ends_at: datetime
    caseworker: str
    reviewed_at: datetime | None
    reviewed_by: str | None
    justified: bool | None


class RequestRecord(NamedTuple):
    """Why a referral was requested, as it was noted then; `by` is who asked for it."""

    referral_id: UUID
    at: datetime
    by: str
    why: str


class TriageRecord(NamedTuple):
    """A need that a person had to choose for, or has to: since when and why, and what became of it."""

    need_id: UUID
    since: datetime
    reason: str
    why: str
    until: datetime | None
    ended_by: str | None
    assigned_to: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it."""

    receipts: Sequence[ReceiptRecord]
    recalls: Sequence[RecallRecord]
    refusals: Sequence[DenialRecord]
    withheld: Sequence[WithheldEvent]
    opened: Sequence[AccessRecord]


_RECEIPTS = """
    -- What was given of a case, the oldest first.
    SELECT receipt_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose, policy_set, place
    FROM receipts WHERE case_id = %s ORDER BY given_at, receipt_id
"""

_RECALLS = """
    -- What of it was recalled.
    SELECT receipt_id, agency, consent_id, groups, recalled_at FROM consent_uses
    WHERE consent_id IN (SELECT consent_id FROM vault.consents WHERE case_id = %(case)s)
        AND case_id = %(case)s AND recalled_at IS NOT NULL
    ORDER BY recalled_at, receipt_id
"""

_REFUSAL = "SELECT case_id, need_id, agency, refused_at, why, policy_set FROM refused_disclosures"

_REFUSALS = f"""
    -- Who was not asked because it may not know.
    {_REFUSAL} WHERE case_id = %s ORDER BY refused_at, agency
"""

_UNSPOKEN: Final = "victim-services-needs-consent"
"""The policy that keeps the very existence of a report from everybody."""

_LATE_REFUSALS = f"""
    -- Who was not asked because it may not know, the latest first. Where only a consent could let anybody know that
    -- there is a report at all, it is in no list: whoever has its id can still ask why.
    {_REFUSAL} WHERE NOT why @> ARRAY[%s]::text[] ORDER BY refused_at DESC LIMIT %s
"""

_WITHHELD = """
    -- What was not said after all.
    SELECT event_id, topic, event_type, guards, created_at FROM outbox_withheld WHERE case_id = %s ORDER BY created_at
"""

_OPENED = """
    -- What was opened in emergencies, the oldest first.
    SELECT access_id, referral_id, agency, groups, opened_at, ends_at, caseworker, reviewed_at, reviewed_by, justified
    FROM emergency_accesses WHERE referral_id IN (SELECT referral_id FROM referrals WHERE case_id = %s)
    ORDER BY opened_at
"""

_REASONS = """
    -- Why each referral of a case was requested.
    SELECT referral_id, occurred_at, by, why FROM referral_changes WHERE case_id = %s AND number = 1
"""

_TRIAGE = """
    -- The needs of a case that a person had to choose for.
    SELECT need_id, entered_at, reason, why, ended_at, ended_by, assigned_to FROM triage
    WHERE case_id = %s ORDER BY entered_at
"""


async def find_evidence(tx: Transaction, case_id: UUID) -> Evidence:
    """Find what is on record about the sharing of a case."""
    withheld = await _rows(tx, _WITHHELD, case_id)
    return Evidence(
        receipts=[ReceiptRecord(*row) for row in await _rows(tx, _RECEIPTS, case_id)],
        recalls=[RecallRecord(*row) for row in await (await tx.execute(_RECALLS, {"case": case_id})).fetchall()],
        refusals=[DenialRecord(*row) for row in await _rows(tx, _REFUSALS, case_id)],
        withheld=[WithheldEvent(event_id, _agency(topic), *rest) for event_id, topic, *rest in withheld],
        opened=[AccessRecord(*row) for row in await _rows(tx, _OPENED, case_id)],
    )


async def list_late_refusals(tx: Transaction, most: int) -> list[DenialRecord]:
    """List what was refused of late, the latest first, without what nobody may know of."""
    return [DenialRecord(*row) for row in await (await tx.execute(_LATE_REFUSALS, (_UNSPOKEN, most))).fetchall()]


async def list_reasons(tx: Transaction, case_id: UUID) -> dict[UUID, RequestRecord]:
    """Return why each referral of a case was requested."""
    return {row[0]: RequestRecord(*row) for row in await _rows(tx, _REASONS, case_id)}


async def list_triage(tx: Transaction, case_id: UUID) -> list[TriageRecord]:
    """List the needs of a case that a person had to choose for."""
    return [TriageRecord(*row) for row in await _rows(tx, _TRIAGE, case_id)]


async def _rows(tx: Transaction, query: str, case_id: UUID) -> list[tuple[Any, ...]]:
    return await (await tx.execute(query, (case_id,))).fetchall()


def _agency(topic: str) -> str:
    match = AGENCY_INBOX.pattern.match(topic)
    return match["agency"] if match else ""
