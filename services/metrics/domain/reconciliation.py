"""The reconciliation: whether everything that was filed was routed, nothing was lost, and nothing was done twice.

accepted    cases that intake said were filed
routed      cases for each need of which a program was found (by routing's word, whether or not intake's was heard)
triage      cases that routing has looked at and that have a need at the triage desk, or had one when they ended
pending     cases that were filed and that routing has not spoken of
duplicates  cases made twice of one record, things that happen once told under two event ids, and second requests of
            one need to one program at the same attempt
missing     numbers in a topic's sequence of one case that were passed over, and referrals that were named and never
            requested
balanced    accepted = routed + triage + pending, and neither duplicates nor missing. While messages of different
            topics are under way it may be false for a moment.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.metrics.domain.cells import Cell
from services.metrics.domain.publication import Publication
from services.metrics.domain.tallies import MAILS, STAGES, Tally

OTHERS = ("resolved", "withdrawn", "reopened", "recorded")


NAMES = {"triage_open": "triage.open"}
"""Totals that the reconciliation calls by another name."""


def withhold(told: Mapping[str, Any], published: Publication) -> dict[str, Any]:
    """Return the reconciliation as everybody may see it: a count that is None is small, or would give one away."""
    counts = {
        name: published.total(NAMES.get(name, name)) if type(value) is int else value for name, value in told.items()
    }
    counts["referrals"] = {name: published.total(f"referral.{name}") for name in told["referrals"]}
    counts["mails"] = {name: published.total(f"mail.{name}") for name in told["mails"]}
    response = next(iter(published.cells("city", "response")), None)
    times = {name: getattr(response, name, None) for name in ("n", "p50", "p95")}
    return counts | {"response_seconds": told["response_seconds"] | times, "minimum": published.minimum}


def reconcile(counts: Tally, response: Cell | None, as_of: datetime) -> Mapping[str, Any]:
    """Return the reconciliation of everything that was heard before `as_of`."""
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
        **{name: counts.get(name, 0) for name in OTHERS},
        "response_seconds": {
            "n": response.n if response else 0,
            "p50": response.p50 if response else None,
            "p95": response.p95 if response else None,
            "as_of": response.as_of if response else as_of,
        },
        "as_of": as_of,
    }
