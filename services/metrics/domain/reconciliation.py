"""The reconciliation: whether every case was routed, no event is missing, and nothing happened twice.

accepted    cases that intake filed
routed      cases for each need of which routing found a program, whether or not intake's event has arrived
triage      cases that routing has decided and that have a need in the triage queue, or had one when they ended
pending     cases that intake filed and routing has not decided yet
duplicates  cases made twice of one record, events of types that happen once with a second id, and repeated requests of
            one need to one program at the same attempt
missing     numbers that a topic's sequence of one case skips, and referrals that were named and never requested
balanced    accepted = routed + triage + pending, and neither duplicates nor missing. It may be false for a moment while
            events of different topics are on their way.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.metrics.domain.cells import Cell
from services.metrics.domain.publication import Publication
from services.metrics.domain.tallies import MAILS, STAGES, Tally

_FURTHER_TOTALS: Final = ("resolved", "withdrawn", "reopened", "recorded")
_TOTAL_NAMES: Final = {"triage_open": "triage.open"}
"""The fields of the reconciliation that have another name than their total."""


def reconcile(counts: Tally, response: Cell | None, as_of: datetime) -> Mapping[str, Any]:
    """Return the reconciliation of every event that arrived before `as_of`; `response` is the city's response clock."""
    accepted, routed, triage, pending = (counts.get(name, 0) for name in ("accepted", "routed", "triage", "pending"))
    duplicates, missing = counts.get("duplicates", 0), counts.get("missing", 0)
    return {
        "accepted": accepted,
        "routed": routed,
        "triage": triage,
        "pending": pending,
        "duplicates": duplicates,
        "missing": missing,
        "balanced": accepted == routed + triage + pending and not duplicates and not missing,
        "referrals": {name: counts.get(f"referral.{name}", 0) for name in (*STAGES, "open", "unanswered_overdue")},
        "mails": {name: counts.get(f"mail.{name}", 0) for name in MAILS},
        "triage_open": counts.get("triage.open", 0),
        **{name: counts.get(name, 0) for name in _FURTHER_TOTALS},
        "response_seconds": {
            "n": response.n if response else 0,
            "p50": response.p50 if response else None,
            "p95": response.p95 if response else None,
            "as_of": response.as_of if response else as_of,
        },
        "as_of": as_of,
    }


def suppress_counts(reconciliation: Mapping[str, Any], publication: Publication) -> dict[str, Any]:
    """Return a reconciliation as everyone may see it: a suppressed count is None."""
    counts = {
        name: publication.total(_TOTAL_NAMES.get(name, name)) if type(value) is int else value
        for name, value in reconciliation.items()
    }
    counts["referrals"] = {name: publication.total(f"referral.{name}") for name in reconciliation["referrals"]}
    counts["mails"] = {name: publication.total(f"mail.{name}") for name in reconciliation["mails"]}
    response = next(iter(publication.cells("city", "response")), None)
    times = {name: getattr(response, name, None) for name in ("n", "p50", "p95")}
    response_seconds = reconciliation["response_seconds"] | times
    return counts | {"response_seconds": response_seconds, "minimum": publication.minimum}
