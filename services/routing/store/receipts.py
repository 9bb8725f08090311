"""Reads receipts, and gives them their places in the ledger. A disclosure and its receipt commit together."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from shared.kit.database.database import Transaction
from shared.kit.database.rows import Row
from shared.policy.merkle import LeafRange
from shared.policy.receipts import DisclosureGround, Receipt, grounds_of, write_moment


class LedgerReceipt(NamedTuple):
    """A receipt as its JSON, and its place in the ledger; None until it has one."""

    place: int | None
    facts: dict[str, Any]


_COLUMNS: Final = """
    r.place, r.receipt_id::text, r.case_id::text, r.referral_id::text, r.agency, r.given_at, r.channel, r.form,
    r.groups, r.grounds::text, r.purpose, r.policy_set, encode(r.digest, 'hex'), r.shown_from
"""

_PLACE_OLDEST: Final = f"""
    -- Give the oldest receipts without a place the next places, in order.
    WITH oldest AS (
        SELECT receipt_id, given_at FROM receipts WHERE place IS NULL ORDER BY given_at, receipt_id LIMIT %s
    ), numbered AS (
        SELECT receipt_id, %s::bigint - 1 + row_number() OVER (ORDER BY given_at, receipt_id) AS place FROM oldest
    )
    UPDATE receipts AS r SET place = numbered.place FROM numbered WHERE r.receipt_id = numbered.receipt_id
    RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_SELECT_RANGE: Final = f"""
    -- The receipts that have these places.
    SELECT {_COLUMNS} FROM receipts r WHERE r.place >= %(start)s AND r.place < %(end)s ORDER BY r.place
"""  # noqa: S608

_SELECT_RECEIPT: Final = f"""
    -- One receipt.
    SELECT {_COLUMNS} FROM receipts r WHERE r.receipt_id = %s
"""  # noqa: S608


async def place_receipts(tx: Transaction, size: int, most: int) -> list[LedgerReceipt]:
    """Give receipts without a place the next ones, the oldest first and at most `most`; return them in order."""
    cursor = await tx.execute(_PLACE_OLDEST, (most, size), binary=True)
    return sorted([_placed(row) for row in await cursor.fetchall()], key=lambda placed: placed.place or 0)


async def list_receipts(tx: Transaction, span: LeafRange) -> list[LedgerReceipt]:
    """List the receipts that have these places, in order."""
    return [_placed(row) for row in await (await tx.execute(_SELECT_RANGE, span._asdict(), binary=True)).fetchall()]


async def find_receipt(tx: Transaction, receipt_id: UUID) -> LedgerReceipt | None:
    """Find one receipt."""
    row = await (await tx.execute(_SELECT_RECEIPT, (receipt_id,), binary=True)).fetchone()
    return _placed(row) if row else None


def _placed(row: Sequence[Any]) -> LedgerReceipt:
    """Return a row as its JSON, unchecked: a proof must show what is stored, also if it is damaged."""
    place, receipt_id, case_id, referral_id, agency, given_at, *middle, digest, shown_from = row
    channel, form, groups, grounds, purpose, policy_set = middle
    facts = {
        "receipt_id": receipt_id,
        "case_id": case_id,
        "referral_id": referral_id,
        "agency": agency,
        "given_at": write_moment(given_at),
        "channel": channel,
        "form": form,
        "groups": groups,
        "grounds": orjson.loads(grounds),
        "purpose": purpose,
        "policy_set": policy_set,
        "digest": digest,
        "shown_from": write_moment(shown_from) if shown_from else None,
    }
    return LedgerReceipt(place, facts)


def receipt_row(receipt: Receipt) -> Row:
    """Return the row to insert for a receipt; the sequencer gives it its place."""
    return {
        "receipt_id": receipt.receipt_id,
        "case_id": receipt.case_id,
        "referral_id": receipt.referral_id,
        "agency": receipt.agency,
        "given_at": receipt.given_at,
        "channel": receipt.channel,
        "form": receipt.form,
        "groups": receipt.groups,
        "grounds": _grounds(receipt.grounds),
        "purpose": receipt.purpose,
        "policy_set": receipt.policy_set,
        "digest": receipt.digest,
        "shown_from": receipt.shown_from,
    }


@lru_cache(4096)
def _grounds(grounds: tuple[DisclosureGround, ...]) -> orjson.Fragment:
    """Return grounds as JSON, cached: many receipts have the same."""
    return orjson.Fragment(orjson.dumps(grounds_of(grounds)))
