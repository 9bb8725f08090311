"""Sealed blocks and wrapped keys: which ones open, and which do not."""

import base64
import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.fields import FieldGroup
from shared.kit.vault.vault import Vault, VaultError, read_master_key

VAULT = Vault(bytes(range(32)))


@given(st.binary(max_size=500), st.sampled_from(FieldGroup))
def test_what_is_sealed_can_be_opened(plaintext: bytes, group: FieldGroup) -> None:
    person = VAULT.new_person(uuid4())
    again = VAULT.unwrap(person.id, VAULT.wrap(person))
    assert VAULT.open(again, group, VAULT.seal(person, group, plaintext)) == plaintext


@given(st.integers(min_value=0, max_value=59), st.integers(min_value=1, max_value=255))
def test_a_flipped_byte_is_found(at: int, flip: int) -> None:
    person = VAULT.new_person(UUID(int=5))
    raw = bytearray(base64.b64decode(VAULT.seal(person, FieldGroup.CONTACT, b"x" * 31)))
    raw[at] ^= flip
    with pytest.raises(VaultError):
        VAULT.open(person, FieldGroup.CONTACT, base64.b64encode(raw).decode())


def test_a_block_opens_for_its_own_person_and_group_only() -> None:
    ann, bob = VAULT.new_person(uuid4()), VAULT.new_person(uuid4())
    block = VAULT.seal(ann, FieldGroup.CONTACT, b"ann@example.org")
    with pytest.raises(VaultError):
        VAULT.open(bob, FieldGroup.CONTACT, block)
    with pytest.raises(VaultError):
        VAULT.open(ann, FieldGroup.NARRATIVE, block)


def test_a_wrapped_key_is_bound_to_its_person_and_master_key() -> None:
    ann = VAULT.new_person(uuid4())
    with pytest.raises(VaultError, match="altered"):
        VAULT.unwrap(uuid4(), VAULT.wrap(ann))
    with pytest.raises(VaultError, match="another master key"):
        Vault(os.urandom(32)).unwrap(ann.id, VAULT.wrap(ann))


def test_the_key_is_not_in_a_person_printed() -> None:
    person = VAULT.new_person(uuid4())
    assert repr(person) == f"Person({person.id})"


def test_the_master_key_file_is_created_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "master"
    first = read_master_key(None, file)
    assert len(first) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_master_key(None, file) == first
    assert [each.name for each in file.parent.iterdir()] == ["master"]


@pytest.mark.parametrize(("text", "why"), [(None, "no master key"), ("not base64!", "not base64")])
def test_a_master_key_that_cannot_be_used_says_so(text: str | None, why: str) -> None:
    with pytest.raises(VaultError, match=why):
        read_master_key(text, None)


def test_a_master_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(VaultError, match="32 bytes"):
        Vault(b"short")
