"""What a plan releases is opened, and nothing else is even touched."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need, Origin, Place
from shared.policy.agreements import Form
from shared.policy.decision import DisclosurePolicy
from shared.policy.release import NOTHING, Release, release
from tests.builders import NAMESPACE, NOON
from tests.unit.policy.fixtures import ALL, agreement, consent, query, share

NEED, ADDRESS, NARRATIVE = FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.NARRATIVE
BLOCKS: Mapping[FieldGroup, bytes] = {
    ADDRESS: b'{"address": "1 Elm St", "lat": 40.7, "safe_word": "heron"}',
    FieldGroup.IDENTITY: b'{"first_name": "Ana"}',
    FieldGroup.CONTACT: b'{"email": "ana@example.org"}',
    FieldGroup.HEALTH: b'{"answers": {"asthma": ["yes"]}}',
    NARRATIVE: b'{"description": "Call 212-555-0123", "attributes": {"who": ["ana@example.org", "me"]}}',
}


def filed(**said: Any) -> CaseSubmitted:
    usual = {
        "case_id": NAMESPACE,
        "service_request_id": "SR-1",
        "service_code": "repair",
        "needs": (Need(need_id=NAMESPACE, need="housing"),),
        "place": Place(cell="882a10081bfffff", district="south"),
        "origin": Origin(channel="web"),
        "submitted_at": NOON,
        "sealed": dict.fromkeys(BLOCKS, "block"),
    }
    return CaseSubmitted(**{**usual, **said})


def opened(
    *shares: dict[str, Any],
    blocks: Mapping[FieldGroup, bytes] = BLOCKS,
    report: CaseSubmitted | None = None,
    **asked: Any,
) -> Release:
    plan = DisclosurePolicy((agreement(*shares),), keys=("homes",)).plan(query(**asked))
    return release(plan, report or filed(), "housing", lambda _, group: blocks.get(group))


def given_(release: Release) -> dict[str, set[str]]:
    return {form: set(getattr(release, form).model_dump(exclude_none=True)) for form in Form}


def test_each_form_has_its_own_groups() -> None:
    found = opened(
        share(), share("key", form="sealed", groups=("health",)), share("ask", form="thin", groups=("contact",))
    )
    assert given_(found) == {"full": {"need", "address"}, "sealed": {"health"}, "thin": {"contact"}}
    assert set(found.whole().model_dump(exclude_none=True)) == {"need", "address", "health", "contact"}


def test_who_may_not_know_the_need_is_given_nothing() -> None:
    found = opened(share(groups=("address",)))
    assert (found.full, found.sealed, found.thin) == (NOTHING, NOTHING, NOTHING)
    assert ADDRESS not in found.withheld


def test_words_lose_what_tells_who_wrote_them() -> None:
    words = opened(share(groups=("need", "narrative"))).full.narrative
    assert words is not None
    assert words.description == "Call [phone number]"
    assert words.attributes == {"who": ("[e-mail address]", "me")}


@pytest.mark.parametrize("form", Form)
def test_who_may_know_who_it_was_may_read_every_word(form: str) -> None:
    words = opened(share(groups=("need", "narrative")), share("who", groups=("identity",), form=form)).full.narrative
    assert words is not None
    assert words.description == "Call 212-555-0123"


def test_only_what_is_released_is_opened() -> None:
    touched = []

    def unseal(_: CaseSubmitted, group: FieldGroup) -> bytes:
        touched.append(group)
        return BLOCKS[group]

    plan = DisclosurePolicy((agreement(share(), share("again", form="thin")),)).plan(query())
    release(plan, filed(), "housing", unseal)
    assert touched == [ADDRESS]


@pytest.mark.parametrize("block", [b"not json", b'{"lat": "north"}', b"[]", None])
def test_an_unreadable_block_is_withheld(block: bytes | None) -> None:
    found = opened(blocks={} if block is None else {ADDRESS: block})
    assert found.full.address is None
    assert ADDRESS in found.withheld


def test_a_field_that_a_group_does_not_have_goes_nowhere() -> None:
    assert "heron" not in opened().full.model_dump_json()


def test_what_is_withheld_does_not_tell_what_the_case_has() -> None:
    bare = filed(sealed={ADDRESS: "block"})
    assert opened().withheld == opened(report=bare).withheld
    assert FieldGroup.HEALTH in opened(report=bare).withheld


def test_drugs_and_violence_are_not_mentioned() -> None:
    assert not {FieldGroup.SUBSTANCE_USE, FieldGroup.VICTIM_SERVICES} & set(opened().withheld)
    unreadable = filed(sealed={FieldGroup.SUBSTANCE_USE: "block"})
    released = share(groups=("need", "substance_use"), form="thin")
    found = opened(released, report=unreadable, consents=(consent(*ALL),))
    assert FieldGroup.SUBSTANCE_USE not in found.withheld


@pytest.mark.parametrize(
    ("cell", "shown"), [("882a10081bfffff", "882a10081bfffff"), ("8b2a10081b0dfff", None), ("here", None)]
)
def test_a_cell_that_is_too_fine_is_left_out(cell: str, shown: str | None) -> None:
    found = opened(share(groups=("need", "location")), report=filed(place=Place(cell=cell, district="south")))
    assert found.full.location is not None
    assert (found.full.location.cell, found.full.location.district) == (shown, "south")
