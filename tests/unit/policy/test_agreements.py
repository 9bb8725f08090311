"""What an agreement's file may say, and when it holds."""

import tomllib
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement, Form
from tests.builders import DAY, NOON
from tests.unit.policy.fixtures import agreement, consent, share

FILE = """
id = "housing-health"
version = 1
title = "Housing and health"
purpose = "service-delivery"
legal_basis = "Health Code 3.01"
status = "active"
starts = 2025-07-01
ends = 2028-06-30
review = 2027-12-31
onward = false
retain_days = 365
contacts = [{ party = "hpd", name = "Privacy officer", email = "privacy@hpd.example.org" }]
parties = ["front-door", "hpd", "dohmh"]

[[share]]
id = "inspections"
from = ["front-door"]
to = ["hpd"]
groups = ["need", "location"]
form = "full"
needs = ["inadequate-housing"]
consent = true
delay_days = 30
why = "An inspector needs to know where."
"""


def test_a_file_is_read_as_it_is_written() -> None:
    read = Agreement.model_validate(tomllib.loads(FILE))
    (clause,) = read.share
    assert (clause.sources, clause.recipients, clause.form) == (("front-door",), ("hpd",), Form.FULL)
    assert clause.groups == (FieldGroup.NEED, FieldGroup.LOCATION)
    assert read.ground(clause) == "housing-health/inspections"
    assert Agreement.model_validate_json(read.model_dump_json(by_alias=True)) == read


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "paused"},
        {"ends": "2025-12-31"},
        {"ends": "9999-12-31"},
        {"parties": ("front-door", "clinic")},
        {"share": (share(), share())},
        {"share": (share(groups=("secrets",)),)},
        {"share": (share(groups=()),)},
        {"share": (share(needs=()),)},
        {"share": (share(form="fax"),)},
        {"share": (share(form_of_address="Dr"),)},
        {"surprise": 1},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_no_agreement(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        agreement(**wrong)


def test_an_agreement_holds_on_its_days_while_it_is_active() -> None:
    one_day = {"starts": "2026-03-02", "ends": "2026-03-02"}
    midnight = NOON.replace(hour=0)
    tick = timedelta(microseconds=1)
    moments = (midnight - tick, midnight, midnight + DAY - tick, midnight + DAY)
    assert [agreement(**one_day).holds(at) for at in moments] == [False, True, True, False]
    assert not agreement(status="suspended", **one_day).holds(NOON)
    assert not agreement(status="ended", **one_day).holds(NOON)


def test_a_consent_stands_until_it_ends_or_is_withdrawn() -> None:
    assert consent().live(NOON)
    assert consent(granted_at=NOON + timedelta(minutes=1)).live(NOON)
    assert not consent(granted_at=NOON + timedelta(minutes=6)).live(NOON)
    assert not consent(ends_at=NOON).live(NOON)
    assert not consent(withdrawn_at=NOON + DAY).live(NOON)
