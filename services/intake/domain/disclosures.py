"""The disclosures of a case as its person may see them: who received what, when and why, and what was recalled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.progress import CaseEvent
from shared.events.disclosures import DisclosureMade, DisclosureRecalled, EmergencyAccessOpened
from shared.events.fields import FieldGroup

EMERGENCY_ACCESS = "opened"
"""The channel of an entry for an emergency access; disclosures made under it have entries of their own."""


@dataclass(frozen=True, slots=True)
class DisclosureEntry:
    """One disclosure; `grounds` are the clauses and consents that allowed it, `shown_from` the end of its embargo.

    `ends_at` is the end of an emergency access, and None for all others.
    """

    receipt_id: UUID
    case_id: UUID
    referral_id: UUID
    agency: str
    channel: str
    groups: tuple[FieldGroup, ...]
    purpose: str | None
    grounds: tuple[Mapping[str, Any], ...]
    given_at: datetime
    shown_from: datetime | None = None
    ends_at: datetime | None = None

    def is_shown(self, at: datetime) -> bool:
        """Tell whether its person may see it at a moment: it has no embargo, or that is over."""
        return self.shown_from is None or self.shown_from <= at


@dataclass(frozen=True, slots=True)
class RecallEntry:
    """An agency was told to stop using what it received with a receipt under a consent."""

    receipt_id: UUID
    consent_id: UUID
    case_id: UUID
    groups: tuple[FieldGroup, ...]
    why: str
    recalled_at: datetime


@dataclass(frozen=True, slots=True)
class DisclosureLog:
    """Disclosures and recalls: those of one case, or those that a batch of events adds."""

    disclosures: tuple[DisclosureEntry, ...]
    recalls: tuple[RecallEntry, ...]


def project_disclosures(events: Iterable[CaseEvent]) -> DisclosureLog:
    """Project a batch of events onto the disclosures and recalls that it adds."""
    disclosures: list[DisclosureEntry] = []
    recalls: list[RecallEntry] = []
    for each in events:
        event = each.event
        if isinstance(event, DisclosureMade):
            disclosures.append(_made(event))
        elif isinstance(event, EmergencyAccessOpened):
            disclosures.append(_opened(event))
        elif isinstance(event, DisclosureRecalled):
            recalls += _recalled(event)
    return DisclosureLog(tuple(disclosures), tuple(recalls))


def embargoed_referrals(disclosures: Iterable[DisclosureEntry], at: datetime) -> frozenset[UUID]:
    """Return the referrals that a person may not know of yet: all their disclosures are still under embargo."""
    entries = list(disclosures)
    known = {entry.referral_id for entry in entries if entry.is_shown(at)}
    return frozenset(entry.referral_id for entry in entries) - known


def _made(event: DisclosureMade) -> DisclosureEntry:
    return DisclosureEntry(
        receipt_id=event.receipt_id,
        case_id=event.case_id,
        referral_id=event.referral_id,
        agency=event.agency,
        channel=event.channel,
        groups=event.groups,
        purpose=event.purpose,
        grounds=tuple(ground.model_dump() for ground in event.grounds),
        given_at=event.occurred_at,
        shown_from=event.shown_from,
    )


def _opened(event: EmergencyAccessOpened) -> DisclosureEntry:
    return DisclosureEntry(
        receipt_id=event.access_id,
        case_id=event.case_id,
        referral_id=event.referral_id,
        agency=event.agency,
        channel=EMERGENCY_ACCESS,
        groups=event.groups,
        purpose=None,
        grounds=(),
        given_at=event.occurred_at,
        ends_at=event.ends_at,
    )


def _recalled(event: DisclosureRecalled) -> Iterable[RecallEntry]:
    for receipt_id in event.receipts:
        yield RecallEntry(receipt_id, event.consent_id, event.case_id, event.groups, event.why, event.occurred_at)
