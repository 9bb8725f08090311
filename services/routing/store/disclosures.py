"""Reads what was disclosed under which consent, and withholds what has not been published yet."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.routing.domain.consent_changes import ConsentUse
from services.routing.domain.submission import PriorDisclosures
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import ConsentEvent, ConsentWithdrawn, PersonErased
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal
from shared.kit.messaging.outbox import withhold_unpublished

_SELECT_USES: Final = """
    -- What was disclosed under these consents and has not been recalled; an event that was withheld never arrived.
    SELECT consent_id, receipt_id, referral_id, agency, groups,
        NOT EXISTS (SELECT FROM outbox_withheld WHERE event_id = receipt_id)
    FROM consent_uses WHERE consent_id = ANY(%s::text::uuid[]) AND recalled_at IS NULL ORDER BY receipt_id
"""

_SELECT_EXPIRED: Final = """
    -- The consents that have expired with disclosures that are not recalled yet, the oldest first.
    SELECT DISTINCT consent_id, uses.case_id, ends_at
    FROM consent_uses AS uses JOIN vault.consents USING (consent_id)
    WHERE recalled_at IS NULL AND withdrawn_at IS NULL AND ends_at <= %s ORDER BY ends_at LIMIT %s
"""

_SELECT_RECIPIENTS: Final = """
    -- The referrals and agencies that received something of these cases.
    SELECT DISTINCT case_id, referral_id, agency FROM receipts
    WHERE case_id = ANY(%s::text::uuid[]) AND referral_id IS NOT NULL
"""


async def withhold_and_list_prior(tx: Transaction, events: Sequence[Event]) -> PriorDisclosures:
    """Return what was disclosed before, as far as these events depend on it.

    Unpublished events that require a consent which these events withdraw are withheld first: so the result says of
    each disclosure whether its agency received it.
    """
    withdrawn = [event for event in events if isinstance(event, ConsentWithdrawn)]
    erased = [event.case_id for event in events if isinstance(event, PersonErased)]
    await withhold_unpublished(tx, [event.case_id for event in withdrawn], [event.consent_id for event in withdrawn])
    uses = await list_uses(tx, [event.consent_id for event in events if isinstance(event, ConsentEvent)])
    return PriorDisclosures(uses, await list_recipients(tx, erased))


async def list_uses(tx: Transaction, consent_ids: Collection[UUID]) -> dict[UUID, tuple[ConsentUse, ...]]:
    """Return, by consent, the disclosures that depend on it and have not been recalled."""
    found: dict[UUID, list[ConsentUse]] = defaultdict(list)
    if consent_ids:
        rows = await tx.execute(_SELECT_USES, (array_literal(consent_ids),), binary=True)
        for consent_id, receipt_id, referral_id, agency, names, delivered in await rows.fetchall():
            groups = tuple(FieldGroup(name) for name in names)
            found[consent_id].append(ConsentUse(receipt_id, referral_id, agency, groups, delivered))
    return {consent_id: tuple(uses) for consent_id, uses in found.items()}


async def list_expired(tx: Transaction, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Return some (consent, case) pairs of expired consents under which something is not recalled yet."""
    rows = await tx.execute(_SELECT_EXPIRED, (now, limit), binary=True)
    return [(consent_id, case_id) for consent_id, case_id, _ in await rows.fetchall()]


async def list_recipients(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return, for each of these cases, the referrals and agencies that received something."""
    found: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    if case_ids:
        rows = await tx.execute(_SELECT_RECIPIENTS, (array_literal(case_ids),), binary=True)
        for case_id, referral_id, agency in await rows.fetchall():
            found[case_id].append((referral_id, agency))
    return found
