"""Signed checkpoints: in the form that others read, and worth nothing once altered."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.checkpoint import Checkpoint, NoteError, Signer, open_checkpoint, open_note, read_verifier
from shared.policy.proofs import TreeHead

SIGNER = Signer("city.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer("city.example/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
TREE = TreeHead(7, sha256(b"seven").digest())
NOTE = SIGNER.sign_tree(TREE)

# The example in the documentation of Go's golang.org/x/mod/sumdb/note, which defined the form.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_example_is_read() -> None:
    verifier = read_verifier(PUBLISHED_KEY)
    assert str(verifier) == PUBLISHED_KEY
    assert open_note(PUBLISHED_NOTE, [verifier]).endswith("what your problem is.\n")
    with pytest.raises(NoteError, match="does not match the text"):
        open_note(PUBLISHED_NOTE.replace("the answer", "an answer"), [verifier])


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    body, _, signature = NOTE.partition("\n\n")
    assert body == "city.example/ledger\n7\nO6jQKxb9KgHBqLoaHwNtfOOG7ZU2lvpXMxwqxIqAslU="
    assert signature.startswith("\u2014 city.example/ledger ")
    assert open_checkpoint(NOTE, [SIGNER.verifier]) == Checkpoint("city.example/ledger", TREE)


def test_a_key_goes_by_its_text() -> None:
    assert open_checkpoint(NOTE, [read_verifier(f"{SIGNER.verifier}\n")]).tree == TREE


def test_of_several_known_keys_any_may_have_signed() -> None:
    keys = [OTHER.verifier, SIGNER.verifier]
    assert open_checkpoint(NOTE, keys).tree == open_checkpoint(OTHER.sign_tree(TREE), keys).tree == TREE


def test_an_unknown_key_proves_nothing() -> None:
    for keys in ([], [OTHER.verifier], [Signer("another.example", SIGNER._key).verifier]):
        with pytest.raises(NoteError, match="by a known key"):
            open_checkpoint(NOTE, keys)


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_no_character_can_be_another(at: int, other: str) -> None:
    altered = NOTE[:at] + other + NOTE[at + 1 :]
    if altered == NOTE:
        return
    try:
        assert open_checkpoint(altered, [SIGNER.verifier]) == open_checkpoint(NOTE, [SIGNER.verifier])
    except NoteError:
        return
    assert altered.partition("\n\n")[0] == NOTE.partition("\n\n")[0], "what is signed is what was signed"


@pytest.mark.parametrize(
    "text", ["", "name", "name+00000000+AQ==", PUBLISHED_KEY.replace("c7", "c8"), "+c74f20a3+ARpc"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        read_verifier(text)


@pytest.mark.parametrize("text", ["one line\n", "city\nseven\nAAAA\n", "city\n\u0667\nAAAA\n", "city\n7\n???\n"])
def test_what_is_signed_and_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        open_checkpoint(SIGNER.sign(text), [SIGNER.verifier])


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb"])
def test_a_name_that_would_break_the_form_is_refused(name: str) -> None:
    with pytest.raises(NoteError):
        Signer(name, SIGNER._key)
