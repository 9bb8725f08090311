"""Tallies: what is counted of each case, so that totals can be kept without counting rows."""

from collections import Counter
from collections.abc import Iterable, Mapping

from services.metrics.domain.clocks import answered_at, ended_at, resolved_at
from services.metrics.domain.facts import DeliveryFact, NeedFact, ReferralFact
from services.metrics.domain.records import CaseRecord

_STAGES = ("requested", "accepted", "rejected", "started", "completed", "failed", "cancelled", "transferred")
STAGES = (*_STAGES, "overdue", "escalated")
"""What may have happened to a referral; each is counted for each referral that it has happened to."""

MAILS = ("sent", "failed", "uncertain", "suppressed")

Tally = Mapping[str, int]


def tally(record: CaseRecord) -> Counter[str]:
    """Count one case; what is not there is nought."""
    referrals, needs = list(record.referrals), list(record.needs)
    counts = _standing(record, any(is_at_triage(need) for need in needs))
    counts.update(f"referral.{stage}" for r in referrals for stage in STAGES if getattr(r, f"{stage}_at"))
    counts.update("referral.open" for r in referrals if r.requested_at and not ended_at(r))
    counts.update("referral.unanswered_overdue" for r in referrals if _is_late(r))
    counts.update(f"mail.{_fate(delivery)}" for delivery in record.deliveries)
    counts["missing"] = record.heard.missing + sum(1 for r in referrals if r.named and not r.requested_at)
    counts["duplicates"] = record.heard.twice + record.heard.copy + _second_requests(referrals)
    return +counts


def is_at_triage(need: NeedFact) -> bool:
    """Tell whether nobody was found for the need after it was last given to somebody."""
    return need.unroutable_sequence is not None and need.unroutable_sequence > (need.requested_sequence or -1)


def change(before: Iterable[Tally], after: Iterable[Tally]) -> dict[str, int]:
    """Return by how much each total changes when these tallies take the place of those."""
    counts: Counter[str] = Counter()
    for one in after:
        counts.update(one)
    for one in before:
        counts.subtract(one)
    return {name: n for name, n in counts.items() if n}


def _standing(record: CaseRecord, at_triage: bool) -> Counter[str]:  # noqa: FBT001 - counted, not chosen
    case = record.case
    filed, routed = case.service_request_id is not None, case.routed_at is not None
    done = resolved_at(case) is not None
    standing = {
        "accepted": filed,
        "pending": filed and not routed,
        "routed": routed and not at_triage,
        "triage": routed and at_triage,
        "triage.open": routed and at_triage and not done,
        "unfiled": routed and not filed,
        "resolved": done,
        "withdrawn": case.withdrawn_at is not None,
        "reopened": done and case.first_resolved_at != resolved_at(case),
        "recorded": bool(case.record_only),
    }
    return Counter({name: int(so) for name, so in standing.items()})


def _is_late(referral: ReferralFact) -> bool:
    return bool(referral.overdue_at) and not answered_at(referral) and not ended_at(referral)


def _fate(delivery: DeliveryFact) -> str:
    if delivery.sent_at:
        return "sent"
    if delivery.refused_at:
        return "failed"
    return "uncertain" if delivery.uncertain_at else "suppressed"


def _second_requests(referrals: Iterable[ReferralFact]) -> int:
    """Count referrals of one need to one program at the same attempt, beyond the first."""
    asked = [(r.need_id, r.agency, r.program, r.attempt) for r in referrals if r.requested_at]
    return len(asked) - len(set(asked))
