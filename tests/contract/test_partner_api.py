"""What is published of the partner API is what it answers."""

import json
from typing import Any

import jsonschema_rs
import pytest

from services.routing.domain.disclosure import PARTNER_PATH
from services.routing.domain.partner_access import ReadRequest, read
from services.routing.domain.submission import route
from services.routing.http import openapi
from services.routing.http.api.ledger import describe_proof
from services.routing.use_cases.ledger import Proof
from shared.events.fields import FieldGroup
from shared.policy.receipts import facts_of
from tests.builders import case_id, report
from tests.unit.routing.fixtures import cause, context

DOCUMENT = openapi.document()


def problems(name: str, answered: Any) -> list[str]:
    """What a schema of the document finds in an answer."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(answered)]


def test_a_read_is_answered_as_published_with_every_field_and_no_other() -> None:
    blocks = {FieldGroup.ADDRESS: b'{"address": "1 Elm St"}'}
    turn = route(report("housing", sealed={FieldGroup.ADDRESS: "block"}), cause(), context(blocks=blocks))
    referral = next(iter(turn.case.referrals.values()))
    answer = read(turn.case, ReadRequest(referral.agency, referral.referral_id, case_id(9)), (), context(blocks=blocks))
    assert answer is not None
    answered = json.loads(answer.text)
    assert problems("ReferralRead", answered) == []
    assert answered.keys() == DOCUMENT["components"]["schemas"]["ReferralRead"]["properties"].keys()
    assert problems("ReferralRead", {**answered, "state": "lost"})


def test_a_receipt_is_answered_as_published() -> None:
    [given] = route(report("housing"), cause(), context()).disclosures
    answered = describe_proof(Proof(facts_of(given.receipt), 3, [b"x"], "a note"))
    assert problems("ProvenReceipt", answered) == []
    assert answered["receipt"].keys() == DOCUMENT["components"]["schemas"]["GivenReceipt"]["properties"].keys()


def test_the_link_of_an_event_is_a_path_of_the_document() -> None:
    assert PARTNER_PATH.format("{referral_id}") in DOCUMENT["paths"]


@pytest.mark.parametrize("minutes", [0, 241])
def test_more_than_four_hours_cannot_be_asked_for(minutes: int) -> None:
    asked = {"reason": "a person is in danger", "caseworker": "Kim"}
    assert problems("EmergencyForm", asked) == []
    assert problems("EmergencyForm", {**asked, "minutes": minutes})
