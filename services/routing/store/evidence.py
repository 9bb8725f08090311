"""What is recorded about the sharing of one case: receipts, recalls, denials, emergency accesses, withheld events.

The classes are the lines of an explanation's JSON: their fields are its keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.kit.database.database import Transaction
from shared.kit.database.rows import read_rows


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
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


@dataclass(frozen=True, slots=True)
class RecallRecord:
    """A disclosure that was recalled because a consent that it needed was revoked."""

    receipt_id: UUID
    agency: str
    consent_id: UUID
    groups: list[str]
    recalled_at: datetime


@dataclass(frozen=True, slots=True)
class DenialRecord:
    """An agency that was not asked because it may not know of a need; `why` are the ids of the policies."""

    case_id: UUID
    need_id: UUID
    agency: str
    refused_at: datetime
    why: list[str]
    policy_set: str


@dataclass(frozen=True, slots=True)
class WithheldEvent:
    """An event for an agency that was withheld because one of the consents in `guards` was revoked."""

    event_id: UUID
    agency: str
    type: str
    guards: list[UUID]
    withheld_at: datetime


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """An emergency access, and its review; without the words of caseworker and reviewer, which are sealed."""

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


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """Why a referral was requested, as recorded at the time; `by` is routing or a member of staff."""

    referral_id: UUID
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class TriageRecord:
    """A need's time in the triage queue: since when and why, and how it ended."""

    need_id: UUID
    since: datetime
    reason: str
    why: str
    until: datetime | None
    ended_by: str | None
    assigned_to: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything recorded about the sharing of one case."""

    receipts: Sequence[ReceiptRecord]
    recalls: Sequence[RecallRecord]
    refusals: Sequence[DenialRecord]
    withheld: Sequence[WithheldEvent]
    opened: Sequence[AccessRecord]


_RECEIPTS: Final = """
    -- Disclosures of a case, the oldest first.
    SELECT receipt_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose, policy_set, place
    FROM receipts WHERE case_id = %(case)s ORDER BY given_at, receipt_id
"""

_RECALLS: Final = """
    -- Disclosures of a case that were recalled.
    SELECT receipt_id, agency, consent_id, groups, recalled_at FROM consent_uses
    WHERE consent_id IN (SELECT consent_id FROM vault.consents WHERE case_id = %(case)s)
        AND case_id = %(case)s AND recalled_at IS NOT NULL
    ORDER BY recalled_at, receipt_id
"""

_DENIED: Final = "SELECT case_id, need_id, agency, refused_at, why, policy_set FROM refused_disclosures"

_DENIALS: Final = f"""
    -- Agencies that were not asked because they may not know.
    {_DENIED} WHERE case_id = %(case)s ORDER BY refused_at, agency
"""

_EXISTENCE_WITHHELD: Final = "victim-services-needs-consent"
"""The policy that hides from every agency that there is a case."""

_RECENT_DENIALS: Final = f"""
    -- The latest denials first, without those of suppressed cases: a list would show that there is such a case.
    -- Staff who have its id can still ask for the explanation of one case.
    {_DENIED} WHERE NOT why @> ARRAY[%(hidden)s]::text[] ORDER BY refused_at DESC LIMIT %(most)s
"""

_WITHHELD: Final = """
    -- Events for agencies that were withheld: agency.<id>.inbox.v1 names the agency.
    SELECT event_id, split_part(topic, '.', 2) AS agency, event_type AS type, guards, created_at AS withheld_at
    FROM outbox_withheld WHERE case_id = %(case)s AND topic LIKE 'agency.%%.inbox.v1' ORDER BY created_at
"""

_OPENED: Final = """
    -- Emergency accesses, the oldest first.
    SELECT access_id, referral_id, agency, groups, opened_at, ends_at, caseworker, reviewed_at, reviewed_by, justified
    FROM emergency_accesses WHERE referral_id IN (SELECT referral_id FROM referrals WHERE case_id = %(case)s)
    ORDER BY opened_at
"""

_REQUESTS: Final = """
    -- Why each referral of a case was requested: the first line of its history.
    SELECT referral_id, occurred_at AS at, by, why FROM referral_changes WHERE case_id = %(case)s AND number = 1
"""

_TRIAGE: Final = """
    -- The times that needs of a case were in the triage queue.
    SELECT need_id, entered_at AS since, reason, why, ended_at AS until, ended_by, assigned_to FROM triage
    WHERE case_id = %(case)s ORDER BY entered_at
"""


async def find_evidence(tx: Transaction, case_id: UUID) -> Evidence:
    """Read what is recorded about the sharing of a case."""
    return Evidence(
        receipts=await read_rows(tx, ReceiptRecord, _RECEIPTS, case=case_id),
        recalls=await read_rows(tx, RecallRecord, _RECALLS, case=case_id),
        refusals=await read_rows(tx, DenialRecord, _DENIALS, case=case_id),
        withheld=await read_rows(tx, WithheldEvent, _WITHHELD, case=case_id),
        opened=await read_rows(tx, AccessRecord, _OPENED, case=case_id),
    )


async def list_recent_denials(tx: Transaction, most: int) -> list[DenialRecord]:
    """List the latest denials first, without those of suppressed cases."""
    return await read_rows(tx, DenialRecord, _RECENT_DENIALS, hidden=_EXISTENCE_WITHHELD, most=most)


async def list_requests(tx: Transaction, case_id: UUID) -> dict[UUID, RequestRecord]:
    """Return why each referral of a case was requested, by the referral's id."""
    return {each.referral_id: each for each in await read_rows(tx, RequestRecord, _REQUESTS, case=case_id)}


async def list_triage(tx: Transaction, case_id: UUID) -> list[TriageRecord]:
    """List the times that needs of a case were in the triage queue, the earliest first."""
    return await read_rows(tx, TriageRecord, _TRIAGE, case=case_id)
