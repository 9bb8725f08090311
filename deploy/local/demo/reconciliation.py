"""The counts of metrics and of the mailbox, and the checks that they must pass."""

from dataclasses import dataclass, field
from typing import Any

import httpx

REFERRALS = ("requested", "accepted", "rejected", "completed")
ENDED = ("completed", "rejected", "failed", "cancelled", "transferred")


@dataclass(frozen=True, slots=True)
class DemoFigures:
    """The reconciliation of metrics and the counts of the mailbox at one time."""

    reconciliation: dict[str, Any] = field(default_factory=dict)
    mailbox: int = 0
    mailbox_distinct: int = 0

    def count(self, name: str) -> int:
        """Return one of the counts; a dot separates group and name, as in `referrals.accepted`."""
        group, _, inner = name.rpartition(".")
        table = self.reconciliation.get(group, {}) if group else self.reconciliation
        return int(table.get(inner) or 0)

    def response(self, quantile: str) -> float | None:
        """Return a quantile of the time to the first answer, in seconds."""
        found = self.reconciliation.get("response_seconds", {}).get(quantile)
        return None if found is None else float(found)


@dataclass(frozen=True, slots=True)
class ReconciliationCheck:
    """A sentence that must be true, whether it is, and the numbers behind it."""

    sentence: str
    holds: bool
    numbers: str


async def read_figures(client: httpx.AsyncClient, metrics: str, mailbox: str, staff_key: str) -> DemoFigures | None:
    """Read the counts of metrics, with the key of staff, and of the mailbox; None if one of them does not answer."""
    try:
        reconciliation = await client.get(f"{metrics}/reconciliation", headers={"authorization": f"Bearer {staff_key}"})
        mails = await client.get(f"{mailbox}/messages.json", params={"limit": 0})
        if not (reconciliation.is_success and mails.is_success):
            return None
        return DemoFigures(reconciliation.json(), mails.json()["count"], mails.json()["distinct"])
    except httpx.TransportError:
        return None


def is_settled(before: DemoFigures, now: DemoFigures, filed: int) -> bool:
    """Return whether every filed case is routed or at triage, every referral has ended, and every mail has arrived."""

    def gained(name: str) -> int:
        return now.count(name) - before.count(name)

    all_decided = gained("accepted") >= filed and now.count("pending") == 0
    all_ended = gained("referrals.requested") <= sum(gained(f"referrals.{name}") for name in ENDED)
    return all_decided and all_ended and gained("mails.sent") == now.mailbox - before.mailbox


def checks(before: DemoFigures, now: DemoFigures, filed: int) -> list[ReconciliationCheck]:
    """Compare the number of 201 answers, the counts of metrics, and the mails in the mailbox."""
    accepted, routed, triage = (now.count(name) for name in ("accepted", "routed", "triage"))
    gained, pending = accepted - before.count("accepted"), now.count("pending")
    twice, missing = now.count("duplicates"), now.count("missing")
    sent, mails = now.count("mails.sent") - before.count("mails.sent"), now.mailbox - before.mailbox
    repeated = now.mailbox - now.mailbox_distinct
    return [
        ReconciliationCheck(
            "every report answered with 201 is a case", gained == filed, f"{filed} filed, {gained} cases"
        ),
        ReconciliationCheck(
            "accepted reports = routed + in the triage queue",
            accepted == routed + triage and pending == 0,
            f"{accepted} = {routed} + {triage}" + (f", {pending} not decided yet" if pending else ""),
        ),
        ReconciliationCheck("no case is lost", missing == 0, f"{missing} missing"),
        ReconciliationCheck(
            "no case, referral or mail exists twice",
            twice == 0 and repeated == 0,
            f"{twice} cases or referrals, {repeated} mails",
        ),
        ReconciliationCheck(
            "every mail that was sent has arrived", sent == mails, f"{sent} sent, {mails} in the mailbox"
        ),
        ReconciliationCheck("the counts of metrics balance", now.reconciliation.get("balanced") is True, ""),
    ]
