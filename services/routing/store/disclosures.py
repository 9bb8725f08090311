"""What was given under which consent, and what could not be given: beside the receipts, which the ledger keeps."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from services.routing.domain.consenting import Use
from services.routing.domain.reporting import Shared
from services.routing.domain.turn import Given, Turn
from services.routing.store.receipts import add_receipts
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import ConsentEvent, ConsentWithdrawn, PersonErased
from shared.kit.copying import copy_rows
from shared.kit.database import Transaction

_USES: Final = "consent_uses (consent_id, receipt_id, case_id, referral_id, agency, groups)"

_BARRED: Final = "refused_disclosures (case_id, need_id, agency, cause, refused_at, why, policy_set)"

_TAKE_BACK = """
    -- Take out of the outbox what stands on these consents and has not left; a relay that is sending it is waited for.
    WITH taken AS (
        DELETE FROM outbox WHERE case_id = ANY(%(cases)s::text::uuid[]) AND guards && %(consents)s::text::uuid[]
        RETURNING event_id, topic, case_id, event_type, sequence, guards
    )
    INSERT INTO outbox_withheld (event_id, topic, case_id, event_type, sequence, guards)
    SELECT event_id, topic, case_id, event_type, sequence, guards FROM taken ON CONFLICT DO NOTHING
"""

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


async def keep_given(tx: Transaction, given: Sequence[Given]) -> None:
    """Keep the receipts of what is given, and under which consents it is.

    Raises:
        UnavailableError: the receipts cannot be written, so nothing may be given.
    """
    if not given:
        return
    await add_receipts(tx, [each.receipt for each in given])
    rows = [
        (consent_id, *_told(each), _array(groups)) for each in given for consent_id, groups in each.consents.items()
    ]
    await copy_rows(tx, _USES, rows)


async def keep_barred(tx: Transaction, turns: Iterable[Turn]) -> None:
    """Keep which agencies were not asked because they may not know."""
    rows = [
        (turn.report.case_id, barred.need_id, barred.agency, turn.prompt.cause, turn.around.now, _array(barred.by),
         turn.around.city.sharing.hash)
        for turn in turns
        for barred in turn.barred
    ]  # fmt: skip
    await copy_rows(tx, _BARRED, rows)


async def look_up_shared(tx: Transaction, events: Sequence[Event]) -> Shared:
    """Look up what was shared, as far as these events ask for it; what was taken back is taken out of the outbox."""
    ended = [event for event in events if isinstance(event, ConsentWithdrawn)]
    erased = [event.case_id for event in events if isinstance(event, PersonErased)]
    await take_back(tx, [event.case_id for event in ended], [event.consent_id for event in ended])
    uses = await list_uses(tx, [event.consent_id for event in events if isinstance(event, ConsentEvent)])
    return Shared(uses, await list_recipients(tx, erased))


async def take_back(tx: Transaction, case_ids: Collection[UUID], consent_ids: Collection[UUID]) -> None:
    """Say nothing more of these cases that stands on these consents."""
    if consent_ids:
        await tx.execute(_TAKE_BACK, {"cases": _array(case_ids), "consents": _array(consent_ids)})


async def list_uses(tx: Transaction, consent_ids: Collection[UUID]) -> dict[UUID, tuple[Use, ...]]:
    """Return what was given under these consents and has not been recalled."""
    found: dict[UUID, list[Use]] = defaultdict(list)
    if consent_ids:
        rows = await tx.execute(_LIST_USES, (_array(consent_ids),), binary=True)
        for consent_id, receipt_id, referral_id, agency, groups, delivered in await rows.fetchall():
            named = tuple(FieldGroup(group) for group in groups)
            found[consent_id].append(Use(receipt_id, referral_id, agency, named, delivered))
    return {consent_id: tuple(uses) for consent_id, uses in found.items()}


async def mark_recalled(tx: Transaction, consent_ids: Collection[UUID]) -> None:
    """Note that what was given under these consents has been recalled."""
    if consent_ids:
        await tx.execute(_MARK_RECALLED, (_array(consent_ids),))


async def list_expired(tx: Transaction, now: object, limit: int) -> list[tuple[UUID, UUID]]:
    """Return some (consent, case) pairs of consents that have run out with something still to be recalled."""
    rows = await tx.execute(_LIST_FALLEN, (now, limit), binary=True)
    return [(consent_id, case_id) for consent_id, case_id, _ in await rows.fetchall()]


async def list_recipients(tx: Transaction, case_ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """Return, for each of these cases, the referrals and agencies that were given something."""
    found: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    if case_ids:
        rows = await tx.execute(_LIST_RECIPIENTS, (_array(case_ids),), binary=True)
        for case_id, referral_id, agency in await rows.fetchall():
            found[case_id].append((referral_id, agency))
    return found


def _told(given: Given) -> tuple[object, ...]:
    receipt = given.receipt
    return receipt.receipt_id, receipt.case_id, receipt.referral_id, receipt.agency


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(map(str, values)) + "}"
