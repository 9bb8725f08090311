"""Writes receipts: in the transaction that discloses, so that without a receipt there is no disclosure."""

from collections.abc import Iterable

import orjson
import psycopg

from shared.kit.copying import copy_rows
from shared.kit.database import AWAY, Transaction, UnavailableError
from shared.policy.receipts import Receipt, grounds_of

_RECEIPTS = """
    receipts (receipt_id, case_id, referral_id, agency, given_at, channel, form, groups, grounds, purpose, policy_set,
        digest, shown_from)
"""

_THEIR_OWN_FAULT = (psycopg.DataError, psycopg.IntegrityError)
"""What is wrong with one receipt; it would be as wrong the next time."""


async def add_receipts(tx: Transaction, receipts: Iterable[Receipt]) -> None:
    """Write receipts; the sequencer gives them their places in the ledger after the commit.

    Raises:
        UnavailableError: receipts cannot be written now, whatever is in them: try again later, and disclose nothing.
        psycopg.Error: the database is away, or one of these receipts cannot be written at all.
    """
    try:
        await copy_rows(tx, _RECEIPTS, map(_row, receipts))
    except (*AWAY, *_THEIR_OWN_FAULT):
        raise
    except psycopg.Error as error:
        raise UnavailableError(f"receipts cannot be written: {type(error).__name__}") from error


def _row(receipt: Receipt) -> tuple[object, ...]:
    return (
        receipt.receipt_id,
        receipt.case_id,
        receipt.referral_id,
        receipt.agency,
        receipt.given_at,
        receipt.channel,
        receipt.form,
        _array(receipt.groups),
        orjson.dumps(grounds_of(receipt)).decode(),
        receipt.purpose,
        receipt.policy_set,
        f"\\x{receipt.digest.hex()}",
        receipt.shown_from,
    )


def _array(texts: Iterable[str]) -> str:
    """Write an array of text as PostgreSQL reads it."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
