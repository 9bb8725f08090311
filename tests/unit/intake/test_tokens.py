"""A token opens one report, and cannot be guessed from its case."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.tokens import Tokens, read_token
from services.intake.use_cases.file_report import new_uuid7
from tests.builders import NOON

TOKENS = Tokens(b"k" * 32)


def test_a_token_leads_back_to_its_case() -> None:
    case_id = uuid4()

    claimed = read_token(TOKENS.write(case_id))

    assert claimed is not None
    assert claimed.case_id == case_id
    assert claimed.token_hash == TOKENS.hash_of(case_id)


def test_a_token_under_another_master_key_has_another_hash() -> None:
    case_id = uuid4()

    claimed = read_token(Tokens(b"x" * 32).write(case_id))

    assert claimed is not None
    assert claimed.token_hash != TOKENS.hash_of(case_id)


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "ä" * 43, "x" * 44, TOKENS.write(UUID(int=1))[:-1] + "~"])
def test_what_is_no_token_is_none_or_opens_nothing(token: str) -> None:
    claimed = read_token(token)

    assert claimed is None or claimed.token_hash != TOKENS.hash_of(claimed.case_id)


@given(st.text(max_size=50))
def test_no_text_breaks_the_reading(token: str) -> None:
    read_token(token)


def test_ids_are_of_version_7_and_sort_by_time() -> None:
    ids = [new_uuid7(NOON) for _ in range(100)]

    assert {each.version for each in ids} == {7}
    assert {each.variant for each in ids} == {"specified in RFC 4122"}
    assert len(set(ids)) == 100
    assert all(each.int >> 80 == int(NOON.timestamp() * 1000) for each in ids)
