"""Checkpoints: what the ledger was at one size, signed, so that anybody who keeps one can hold it against us later.

The form is that of transparency logs: a checkpoint (C2SP tlog-checkpoint) in a signed note (C2SP signed-note) with
Ed25519 (RFC 8032), so that what reads those reads ours.
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
    """A note, a key or a checkpoint that cannot be trusted or read; the text says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree as it was; `origin` names the ledger."""

    origin: str
    tree: TreeHead


class Verifier:
    """Checks signatures of one key under one name."""

    def __init__(self, name: str, public: bytes) -> None:
        self.name = name
        self.public = public
        self.id = sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Write the key as signed notes do: name, id and key."""
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"

    def is_signed(self, text: str, signature: bytes) -> bool:
        """Tell whether the signature is this key's, of this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class Signer:
    """Signs with one key under one name."""

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
    """Read a key as signed notes write it.

    Raises:
        NoteError: it is no such key.
    """
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _bytes(encoded)
    verifier = Verifier(name, key[1:])
    if not name or key[:1] != _ED25519 or len(key) != 1 + 32 or verifier.id.hex() != key_id:
        raise NoteError("this is no Ed25519 key of a signed note")
    return verifier


def open_note(note: str, verifiers: Iterable[Verifier]) -> str:
    """Return the text of a note that one of these keys has signed.

    Raises:
        NoteError: none of them has, or one of them has signed another text.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise NoteError("this is no signed note")
    text += "\n"
    keys = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    signed = False
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        signature = _bytes(encoded)
        verifier = keys.get((name, signature[:_KEY_ID_BYTES]))
        if verifier and not verifier.is_signed(text, signature[_KEY_ID_BYTES:]):
            raise NoteError("the signature is not of this text")
        signed = signed or verifier is not None
    if not signed:
        raise NoteError("none of the known keys has signed this")
    return text


def open_checkpoint(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """Return the checkpoint in a note that one of these keys has signed.

    Raises:
        NoteError: it is not signed by them, or no checkpoint.
    """
    lines = open_note(note, verifiers).splitlines()
    if len(lines) < _FEWEST_LINES or not lines[1].isascii() or not lines[1].isdecimal():
        raise NoteError("this is no checkpoint")
    return Checkpoint(lines[0], TreeHead(int(lines[1]), _bytes(lines[2])))


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _bytes(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        raise NoteError("what should be base64 is not") from None
