"""Tallies: what one case adds to each total, so that the totals are kept without counting rows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.metrics.domain.clocks import answered_at, ended_at, resolved_at
from services.metrics.domain.facts import DeliveryFact, NeedFact, ReferralFact
from services.metrics.domain.records import CaseRecord

_STAGES = ("requested", "accepted", "rejected", "started", "completed", "failed", "cancelled", "transferred")
STAGES: Final = (*_STAGES, "overdue", "escalated")
"""What can happen to a referral; each total counts the referrals to which it has happened."""

MAILS: Final = ("sent", "failed", "uncertain", "suppressed")
"""The outcomes of a mail."""

Tally = Mapping[str, int]
"""Counts by the name of the total; a name that is missing counts 0."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over all cases, by name; they contain every event that arrived before `as_of`."""

    counts: Tally
    as_of: datetime


def tally(record: CaseRecord) -> Counter[str]:
    """Count what one case adds to each total."""
    referrals = list(record.referrals)
    counts = _case_counts(record)
    counts.update(f"referral.{stage}" for r in referrals for stage in STAGES if getattr(r, f"{stage}_at"))
    counts.update("referral.open" for r in referrals if r.requested_at and not ended_at(r))
    counts.update("referral.unanswered_overdue" for r in referrals if _is_overdue(r))
    counts.update(f"mail.{_mail_outcome(delivery)}" for delivery in record.deliveries)
    unrequested = sum(1 for r in referrals if r.named and not r.requested_at)
    counts["missing"] = record.completeness.missing + unrequested
    counts["duplicates"] = (
        record.completeness.repeated + record.completeness.is_copy + _count_repeated_requests(referrals)
    )
    return +counts  # without the counts of 0


def is_in_triage_queue(need: NeedFact) -> bool:
    """Tell whether routing found no program for the need since it last requested a referral for it."""
    return need.unroutable_sequence is not None and need.unroutable_sequence > (need.requested_sequence or -1)


def diff_tallies(before: Iterable[Tally], after: Iterable[Tally]) -> dict[str, int]:
    """Return by how much each total changes when the tallies `after` replace the tallies `before`."""
    counts: Counter[str] = Counter()
    for each in after:
        counts.update(each)
    for each in before:
        counts.subtract(each)
    return {name: n for name, n in counts.items() if n}


def _case_counts(record: CaseRecord) -> Counter[str]:
    case = record.case
    filed, routed = case.service_request_id is not None, case.routed_at is not None
    at_triage = any(is_in_triage_queue(need) for need in record.needs)
    resolved = resolved_at(case) is not None
    states = {
        "accepted": filed,
        "pending": filed and not routed,
        "routed": routed and not at_triage,
        "triage": routed and at_triage,
        "triage.open": routed and at_triage and not resolved,
        "unfiled": routed and not filed,
        "resolved": resolved,
        "withdrawn": case.withdrawn_at is not None,
        "reopened": resolved and case.first_resolved_at != resolved_at(case),
        "recorded": bool(case.record_only),
    }
    return Counter({name: int(is_so) for name, is_so in states.items()})


def _is_overdue(referral: ReferralFact) -> bool:
    return bool(referral.overdue_at) and not answered_at(referral) and not ended_at(referral)


def _mail_outcome(delivery: DeliveryFact) -> str:
    """Name the outcome of a mail; a mail that was given up as uncertain can turn out to be sent, which counts."""
    if delivery.sent_at:
        return "sent"
    if delivery.refused_at:
        return "failed"
    return "uncertain" if delivery.uncertain_at else "suppressed"


def _count_repeated_requests(referrals: Iterable[ReferralFact]) -> int:
    """Count referrals of one need to one program at the same attempt, beyond the first."""
    requests = [(r.need_id, r.agency, r.program, r.attempt) for r in referrals if r.requested_at]
    return len(requests) - len(set(requests))
