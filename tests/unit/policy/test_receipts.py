"""The canonical bytes of a receipt: the same for the same facts, others for others."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from shared.events.disclosures import Ground
from shared.policy.receipts import Receipt, canonical, facts_of, leaf_of

GIVEN = Receipt(
    receipt_id=UUID(int=1),
    case_id=UUID(int=2),
    referral_id=UUID(int=3),
    agency="hpd",
    given_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    channel="event",
    form="sealed",
    groups=("need", "health"),
    grounds=(Ground(kind="agreement", id="housing-health/inspections", version=2),),
    purpose="service-delivery",
    policy_set="ab" * 32,
    digest=b"\x01" * 32,
    shown_from=None,
)
OTHERS: dict[str, Any] = {
    "receipt_id": UUID(int=9),
    "case_id": UUID(int=9),
    "referral_id": None,
    "agency": "dohmh",
    "given_at": GIVEN.given_at + timedelta(microseconds=1),
    "channel": "read",
    "form": "thin",
    "groups": ("health", "need"),
    "grounds": (Ground(kind="agreement", id="housing-health/inspections", version=3),),
    "purpose": "enforcement",
    "policy_set": "",
    "digest": b"\x01" * 31,
    "shown_from": GIVEN.given_at,
}


def test_the_canonical_form_is_plain_json_with_sorted_keys() -> None:
    assert canonical(facts_of(GIVEN)).decode() == (
        '{"agency":"hpd","case_id":"00000000-0000-0000-0000-000000000002","channel":"event",'
        f'"digest":"{"01" * 32}","form":"sealed","format":"handoff-receipt/1",'
        '"given_at":"2026-03-01T12:00:00.000000Z",'
        '"grounds":[{"id":"housing-health/inspections","kind":"agreement","version":2}],'
        '"groups":["need","health"],'
        f'"policy_set":"{"ab" * 32}","purpose":"service-delivery",'
        '"receipt_id":"00000000-0000-0000-0000-000000000001",'
        '"referral_id":"00000000-0000-0000-0000-000000000003","shown_from":null}'
    )


def test_anybody_can_make_the_same_leaf_with_any_json_library() -> None:
    facts = facts_of(replace(GIVEN, purpose="Überprüfung \U0001f600 \"'\\/\u2028\n\x7f"))
    text = json.dumps(
        {**facts, "format": "handoff-receipt/1"}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert leaf_of(json.loads(json.dumps(facts))) == sha256(b"\x00" + text.encode()).digest()


@pytest.mark.parametrize("field", [field.name for field in fields(Receipt)])
def test_each_field_counts(field: str) -> None:
    changed = replace(GIVEN, **{field: OTHERS[field]})
    assert leaf_of(facts_of(changed)) != leaf_of(facts_of(GIVEN))


def test_a_moment_is_the_same_in_every_zone() -> None:
    elsewhere = GIVEN.given_at.astimezone(timezone(timedelta(hours=-5)))
    assert facts_of(replace(GIVEN, given_at=elsewhere)) == facts_of(GIVEN)
