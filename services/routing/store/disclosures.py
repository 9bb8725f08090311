"""What was given under which consent, and what could not be given: beside the receipts, which the ledger keeps."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from services.routing.domain.consent_changes import ConsentUse
from services.routing.domain.decision import CaseDecision, DeniedDisclosure, Disclosure
from services.routing.domain.submission import PriorDisclosures
from services.routing.store.new_cases import NewRows
from services.routing.store.receipts import receipt_row
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import ConsentEvent, ConsentWithdrawn, PersonErased
from shared.kit.database.database import Transaction
from shared.kit.database.rows import Row, array_literal
from shared.kit.messaging import outbox
from shared.policy.receipts import Receipt

_LIST_USES = """
    -- What was given under these consents and has not been recalled; what the relay withheld was never delivered.
    SELECT consent_id, receipt_id, referral_id, agency, groups,
        NOT EXISTS (SELECT FROM outbox_withheld WHERE event_id = receipt_id)
    FROM consent_uses WHERE consent_id = ANY(%s::text::uuid[]) AND recalled_at IS NULL ORDER BY receipt_id
"""

_MARK_RECALLED = """
    -- These consents have been dealt with.
    UPDATE consent_uses SET recalled_at = clock_timestamp()
    WHERE consent_id = ANY(%s::text::uuid[]) AND recalled_at IS NULL
"""

_LIST_FALLEN = """
    -- The consents that have ended, with something given under them that has not been recalled, the oldest first.
    SELECT DISTINCT consent_id, uses.case_id, ends_at
    FROM consent_uses AS uses JOIN vault.consents USING (consent_id)
    WHERE recalled_at IS NULL AND withdrawn_at IS NULL AND ends_at <= %s ORDER BY ends_at LIMIT %s
"""

_LIST_RECIPIENTS = """
    -- Who was given something of these cases.
    SELECT DISTINCT case_id, referral_id, agency FROM receipts
    WHERE case_id = ANY(%s::text::uuid[]) AND referral_id IS NOT NULL
"""


async def keep_given(tx: Transaction, given: Sequence[Disclosure]) -> None:
    """Keep the receipts of what is given, and under which consents it is.

    Raises:
        UnavailableError: the receipts cannot be written, so nothing may be given.
    """
    additions = NewRows()
    note_given(additions, given)
    await additions.write(tx)


def note_given(additions: NewRows, given: Sequence[Disclosure]) -> None:
    """Note the receipts of what is given, and under which consents it is."""
    additions.note("receipts", [receipt_row(each.receipt) for each in given])
    additions.note("consent_uses", [_use_row(each.receipt, *use) for each in given for use in each.consents.items()])


def note_barred(additions: NewRows, turns: Iterable[CaseDecision]) -> None:
    """Note which agencies were not asked because they may not know."""
    additions.note("refused_disclosures", [_barred_row(turn, barred) for turn in turns for barred in turn.barred])


async def look_up_shared(tx: Transaction, events: Sequence[Event]) -> PriorDisclosures:
    """Look up what was shared, as far as these events ask for it; unpublished ones are withheld first."""
    ended = [event for event in events if isinstance(event, ConsentWithdrawn)]
    erased = [event.case_id for event in events if isinstance(event, PersonErased)]
    await outbox.withhold_unpublished(tx, [event.case_id for event in ended], [event.consent_id for event in ended])
    uses = await list_uses(tx, [event.consent_id for event in events if isinstance(event, ConsentEvent)])
    return PriorDisclosures(uses, await list_recipients(tx, erased))


async def list_uses(tx: Transaction, consent_ids: Collection[UUID]) -> dict[UUID, tuple[ConsentUse, ...]]:
    """Return what was given under these consents and has not been recalled."""
    found: dict[UUID, list[ConsentUse]] = defaultdict(list)
    if consent_ids:
        rows = await tx.execute(_LIST_USES, (array_literal(consent_ids),), binary=True)
        for consent_id, receipt_id, referral_id, agency, groups, delivered in await rows.fetchall():
            named = tuple(FieldGroup(group) for group in groups)
            found[consent_id].append(ConsentUse(receipt_id, referral_id, agency, named, delivered))
    return {consent_id: tuple(uses) for consent_id, uses in found.items()}


async def mark_recalled(tx: Transaction, consent_ids: Collection[UUID]) -> None:
    """Note that what was given under these consents has been recalled."""
    if consent_ids:
        await tx.execute(_MARK_RECALLED, (array_literal(consent_ids),))


async def list_expired(tx: Transaction, now: object, limit: int) -> list[tuple[UUID, UUID]]:
    """Return some (consent, case) pairs of consents that have run out with something still to be recalled."""
    rows = await tx.execute(_LIST_FALLEN, (now, limit), binary=True)
    return [(consent_id, case_id) for consent_id, case_id, _ in await rows.fetchall()]


async def list_recipients(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return, for each of these cases, the referrals and agencies that were given something."""
    found: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    if case_ids:
        rows = await tx.execute(_LIST_RECIPIENTS, (array_literal(case_ids),), binary=True)
        for case_id, referral_id, agency in await rows.fetchall():
            found[case_id].append((referral_id, agency))
    return found


def _use_row(receipt: Receipt, consent_id: UUID, groups: Sequence[FieldGroup]) -> Row:
    return {
        "consent_id": consent_id,
        "receipt_id": receipt.receipt_id,
        "case_id": receipt.case_id,
        "referral_id": receipt.referral_id,
        "agency": receipt.agency,
        "groups": groups,
    }


def _barred_row(turn: CaseDecision, barred: DeniedDisclosure) -> Row:
    return {
        "case_id": turn.report.case_id,
        "need_id": barred.need_id,
        "agency": barred.agency,
        "cause": turn.prompt.cause,
        "refused_at": turn.around.now,
        "why": barred.by,
        "policy_set": turn.around.city.sharing.hash,
    }
