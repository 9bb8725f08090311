"""What leaves is what the plan names, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from shared.events.fields import SEALED_GROUPS, FieldGroup
from shared.events.intake import CaseSubmitted, Place
from shared.policy.release import ReleasePlan, release
from tests.unit.routing.town import report

BLOCKS = {
    FieldGroup.ADDRESS: b'{"address": "1 Elm St", "lat": 40.7, "long": -73.9}',
    FieldGroup.IDENTITY: b'{"first_name": "Ana", "last_name": "Ruiz"}',
    FieldGroup.CONTACT: b'{"email": "ana@example.org"}',
    FieldGroup.NARRATIVE: b'{"description": "It is cold."}',
    FieldGroup.ATTACHMENTS: b'{"media_url": "https://example.org/p.jpg"}',
}
FILED = report("housing", sealed=dict.fromkeys((*BLOCKS, FieldGroup.HEALTH, FieldGroup.SUBSTANCE_USE), "block"))
GRANTS = st.frozensets(st.sampled_from(FieldGroup))


@given(GRANTS)
def test_only_what_is_granted_is_released(granted: frozenset[FieldGroup]) -> None:
    given_ = release(granted, FILED, "housing", lambda _, group: BLOCKS.get(group))
    assert set(given_.released.model_dump(exclude_none=True)) <= {group.value for group in granted}


@given(GRANTS)
def test_only_what_is_granted_is_opened(granted: frozenset[FieldGroup]) -> None:
    opened: set[FieldGroup] = set()

    def unseal(_: CaseSubmitted, group: FieldGroup) -> bytes:
        opened.add(group)
        return BLOCKS[group]

    release(granted, FILED, "housing", unseal)
    assert opened == granted & set(SEALED_GROUPS)


@given(GRANTS)
def test_what_exists_is_either_released_or_withheld(granted: frozenset[FieldGroup]) -> None:
    given_ = release(granted, FILED, "housing", lambda _, group: BLOCKS.get(group))
    released = set(given_.released.model_dump(exclude_none=True))
    withheld = {group.value for group in given_.withheld}
    exists = {"need", "location", "language_access", "health", *(group.value for group in BLOCKS)}
    assert released | withheld == exists
    assert not released & withheld


def test_that_something_was_said_about_drugs_is_not_mentioned() -> None:
    assert FieldGroup.SUBSTANCE_USE not in release(frozenset(), FILED, "housing", lambda *_: None).withheld


def test_what_nobody_can_open_is_withheld() -> None:
    given_ = release(frozenset(FieldGroup), FILED, "housing", lambda *_: None)
    assert given_.released.address is None
    assert FieldGroup.ADDRESS in given_.withheld


def test_a_block_that_is_not_what_its_group_says_is_withheld() -> None:
    for block in (b"not json", b'{"lat": "north"}', b"[]"):
        given_ = release(frozenset({FieldGroup.ADDRESS}), FILED, "housing", lambda *_, b=block: b)
        assert given_.released.address is None
        assert FieldGroup.ADDRESS in given_.withheld


def test_a_field_that_a_group_does_not_have_goes_nowhere() -> None:
    block = b'{"address": "1 Elm St", "safe_word": "heron"}'
    given_ = release(frozenset({FieldGroup.ADDRESS}), FILED, "housing", lambda *_: block)
    assert "heron" not in given_.released.model_dump_json()


def test_a_cell_that_is_too_fine_is_left_out() -> None:
    for cell, shown in (("882a10081bfffff", "882a10081bfffff"), ("8b2a10081b0dfff", None), ("here", None)):
        filed = report("housing", place=Place(cell=cell, district="south"))
        given_ = release(frozenset({FieldGroup.LOCATION}), filed, "housing", lambda *_: None)
        assert given_.released.location is not None
        assert (given_.released.location.cell, given_.released.location.district) == (shown, "south")


def test_no_plan_can_stand_for_the_consent_of_a_person_in_danger() -> None:
    plan = ReleasePlan({"police": frozenset(FieldGroup)})
    assert not plan.entitles("police", FieldGroup.VICTIM_SERVICES)
    assert plan.entitles("police", FieldGroup.JUSTICE)
    assert not plan.entitles("stranger", None)
