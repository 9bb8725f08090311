"""Receipts to write in tests, each different from the others."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from services.routing.store.case_changes import insert_rows
from services.routing.store.receipts import receipt_row
from shared.events.disclosures import Ground
from shared.kit.database.database import Transaction
from shared.policy.receipts import Receipt
from tests.builders import NAMESPACE, NOON, case_id


def receipt_id(number: int) -> UUID:
    """The id of a receipt, the same in every run."""
    return uuid5(NAMESPACE, f"receipt {number}")


def receipt(number: int = 0, **said: Any) -> Receipt:
    """A receipt of what was given so many seconds after noon."""
    made = Receipt(
        receipt_id=receipt_id(number),
        case_id=case_id(number),
        referral_id=uuid5(NAMESPACE, f"referral {number}"),
        agency="homes",
        given_at=NOON + timedelta(seconds=number),
        channel="event",
        form="full",
        groups=("need", "location"),
        grounds=(Ground(kind="agreement", id="homes-front-door/all", version=1),),
        purpose="service-delivery",
        policy_set="ab" * 32,
        digest=number.to_bytes(32),
    )
    return replace(made, **said)


async def insert_receipts(tx: Transaction, receipts: Iterable[Receipt]) -> None:
    """Write receipts as a decision does, without a case around them."""
    await insert_rows(tx, {"receipts": map(receipt_row, receipts)})
