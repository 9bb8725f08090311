"""What the services say of all cases, and what must be true of it: pure, but for reading the two figures by HTTP."""

from dataclasses import dataclass, field
from typing import Any

import httpx

REFERRALS = ("requested", "accepted", "rejected", "completed")
ENDED = ("completed", "rejected", "failed", "cancelled", "transferred")


@dataclass(frozen=True, slots=True)
class Figures:
    """Metrics' reconciliation and the mailbox's count at one moment."""

    reconciliation: dict[str, Any] = field(default_factory=dict)
    mailbox: int = 0
    mailbox_distinct: int = 0

    def count(self, name: str) -> int:
        """Return one of the counts; a dot leads into a group, as in `referrals.accepted`."""
        group, _, inner = name.rpartition(".")
        table = self.reconciliation.get(group, {}) if group else self.reconciliation
        return int(table.get(inner) or 0)

    def response(self, quantile: str) -> float | None:
        """Return a quantile of the time to the first answer, in seconds."""
        found = self.reconciliation.get("response_seconds", {}).get(quantile)
        return None if found is None else float(found)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true, and the numbers that show whether it is."""

    what: str
    holds: bool
    shown: str


async def read_figures(client: httpx.AsyncClient, metrics: str, mailbox: str, staff_key: str) -> Figures | None:
    """Ask metrics, as an operator who sees whole figures, and the mailbox; None while one of them does not answer."""
    try:
        told = await client.get(f"{metrics}/reconciliation", headers={"authorization": f"Bearer {staff_key}"})
        mails = await client.get(f"{mailbox}/messages.json", params={"limit": 0})
        if not (told.is_success and mails.is_success):
            return None
        return Figures(told.json(), mails.json()["count"], mails.json()["distinct"])
    except httpx.TransportError:
        return None


def is_settled(before: Figures, now: Figures, filed: int) -> bool:
    """Tell whether each case that we filed has been looked at, each referral has ended, each mail has arrived."""

    def gained(name: str) -> int:
        return now.count(name) - before.count(name)

    everyone_looked_at = gained("accepted") >= filed and now.count("pending") == 0
    all_ended = gained("referrals.requested") <= sum(gained(f"referrals.{name}") for name in ENDED)
    return everyone_looked_at and all_ended and gained("mails.sent") == now.mailbox - before.mailbox


def checks(before: Figures, now: Figures, filed: int) -> list[Check]:
    """Hold our own count of 201s, what the services say, and what is in the mailbox against one another."""
    accepted, routed, triage = (now.count(name) for name in ("accepted", "routed", "triage"))
    gained, pending = accepted - before.count("accepted"), now.count("pending")
    twice, missing = now.count("duplicates"), now.count("missing")
    sent, mails = now.count("mails.sent") - before.count("mails.sent"), now.mailbox - before.mailbox
    repeated = now.mailbox - now.mailbox_distinct
    return [
        Check("every report that was answered with 201 is a case", gained == filed, f"{filed} filed, {gained} cases"),
        Check(
            "accepted = routed + at triage",
            accepted == routed + triage and pending == 0,
            f"{accepted} = {routed} + {triage}" + (f", {pending} still waiting" if pending else ""),
        ),
        Check("nothing is lost", missing == 0, f"{missing} missing"),
        Check("nothing is there twice", twice == 0 and repeated == 0, f"{twice} cases or referrals, {repeated} mails"),
        Check("every mail that was sent has arrived", sent == mails, f"{sent} sent, {mails} in the mailbox"),
        Check("metrics' own account balances", now.reconciliation.get("balanced") is True, ""),
    ]
