"""Signed checkpoints of the ledger: a holder of an old checkpoint can prove a later change of its receipts.

A checkpoint (C2SP tlog-checkpoint) in a signed note (C2SP signed-note) with Ed25519 (RFC 8032), so that tools for
transparency logs can read it.
"""

from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.policy.proofs import TreeHead

_ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "
_KEY_ID_BYTES: Final = 4
_FEWEST_LINES: Final = 3


class NoteError(Exception):
    """A note, key or checkpoint is invalid or has a wrong signature; the text says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head with the name of its ledger in `origin`."""

    origin: str
    tree: TreeHead


class Verifier:
    """Verifies signatures of one key and name."""

    def __init__(self, name: str, public: bytes) -> None:
        self.name = name
        self.public = public
        self.id = sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Return the verifier key in the form of signed notes: name, id and key."""
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"

    def is_signed(self, text: str, signature: bytes) -> bool:
        """Whether the signature of the text is valid for this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class Signer:
    """Signs with one key and name."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        if not name or "+" in name or name.split() != [name]:
            raise NoteError("a name on a signature has neither spaces nor plus signs")
        self.verifier = Verifier(name, key.public_key().public_bytes_raw())
        self._key = key

    def sign(self, text: str) -> str:
        """Return the text as a signed note."""
        signature = self.verifier.id + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {_base64(signature)}\n"

    def sign_tree(self, tree: TreeHead) -> str:
        """Return the checkpoint of a tree as a signed note; the ledger's name is the key's."""
        return self.sign(f"{self.verifier.name}\n{tree.size}\n{_base64(tree.root)}\n")


def read_verifier(text: str) -> Verifier:
    """Parse a verifier key of a signed note.

    Raises:
        NoteError: not an Ed25519 verifier key.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _bytes(encoded)
    verifier = Verifier(name, key[1:])
    if not name or key[:1] != _ED25519 or len(key) != 1 + 32 or verifier.id.hex() != key_id:
        raise NoteError("not an Ed25519 verifier key of a signed note")
    return verifier


def open_note(note: str, verifiers: Iterable[Verifier]) -> str:
    """Return the text of a note that is signed by one of these keys.

    Raises:
        NoteError: no signature of a known key, or a wrong signature of one.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise NoteError("not a signed note")
    text += "\n"
    keys = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    signed = False
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        signature = _bytes(encoded)
        verifier = keys.get((name, signature[:_KEY_ID_BYTES]))
        if verifier and not verifier.is_signed(text, signature[_KEY_ID_BYTES:]):
            raise NoteError("the signature does not match the text")
        signed = signed or verifier is not None
    if not signed:
        raise NoteError("no signature by a known key")
    return text


def open_checkpoint(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Return the checkpoint in a note that is signed by one of these keys.

    Raises:
        NoteError: not signed by a known key, or not a checkpoint.
    """
    lines = open_note(note, verifiers).splitlines()
    if len(lines) < _FEWEST_LINES or not lines[1].isascii() or not lines[1].isdecimal():
        raise NoteError("not a checkpoint")
    return Checkpoint(lines[0], TreeHead(int(lines[1]), _bytes(lines[2])))


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _bytes(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        raise NoteError("invalid base64") from None
