"""Encryption of personal data: one key for each person, wrapped by a master key; deleting the key erases the data.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. A sealed block is bound to its person and field group,
a wrapped key to its person and master key, as associated data: neither opens for another person.
"""

import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.database.rows import array_literal
from shared.kit.vault.key_files import KEY_BYTES, KeyFileError, read_key

NONCE_BYTES = 12
_FORMAT = b"\x01"


class VaultError(Exception):
    """A key or a sealed block cannot be opened, or a master key cannot be used."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person whose data may be sealed and opened: their id, and their key in the clear (in memory only)."""

    id: UUID
    key: AESGCM
    secret: bytes

    def __repr__(self) -> str:
        """Return the id without the key."""
        return f"Person({self.id})"


class Vault:
    """Seals and opens blocks; it keeps the master key, and no person's key."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise VaultError(f"the master key must be {KEY_BYTES} bytes, not {len(master_key)}")
        self._master = AESGCM(master_key)
        self._master_id = sha256(b"handoff master key" + master_key).digest()[:4]

    def new_person(self, person_id: UUID) -> Person:
        """Return a person with a new random key."""
        secret = os.urandom(KEY_BYTES)
        return Person(person_id, AESGCM(secret), secret)

    def wrap(self, person: Person) -> bytes:
        """Return the person's key for storage: master key id (4 bytes), nonce (12), ciphertext and tag (48)."""
        nonce = os.urandom(NONCE_BYTES)
        return self._master_id + nonce + self._master.encrypt(nonce, person.secret, person.id.bytes)

    def unwrap(self, person_id: UUID, wrapped: bytes) -> Person:
        """Return the person of a wrapped key.

        Raises:
            VaultError: another master key wrapped it, or it was altered.
        """
        if wrapped[:4] != self._master_id:
            raise VaultError("this key was wrapped under another master key: check HANDOFF_MASTER_KEY")
        try:
            secret = self._master.decrypt(wrapped[4:16], wrapped[16:], person_id.bytes)
        except InvalidTag:
            raise VaultError(f"the key of person {person_id} has been altered") from None
        return Person(person_id, AESGCM(secret), secret)

    @staticmethod
    def seal(person: Person, group: FieldGroup, plaintext: bytes) -> str:
        """Seal one field group of one person, as base64 text."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = person.key.encrypt(nonce, plaintext, _bound_to(person.id, group))
        return b2a_base64(_FORMAT + nonce + sealed, newline=False).decode()

    @staticmethod
    def open(person: Person, group: FieldGroup, block: str) -> bytes:
        """Return the plaintext of one sealed field group.

        Raises:
            VaultError: it is not a block of this person and group, or it was altered.
        """
        try:
            raw = a2b_base64(block, strict_mode=True)
            if raw[:1] != _FORMAT:
                raise VaultError("the sealed block has an unknown format")
            return person.key.decrypt(raw[1:13], raw[13:], _bound_to(person.id, group))
        except (InvalidTag, ValueError):
            raise VaultError(f"a sealed block of person {person.id} cannot be opened") from None

    async def load(self, tx: Transaction, person_ids: Iterable[UUID]) -> dict[UUID, Person]:
        """Return those of these persons that have a key; erased persons are missing."""
        wanted = array_literal(sorted({*person_ids}))
        rows = await tx.execute(_LOAD, (wanted,), binary=True)
        return {person_id: self.unwrap(person_id, wrapped) async for person_id, wrapped in rows}


_LOAD = """
    -- The keys of these persons, but for those that were erased.
    SELECT person_id, wrapped FROM vault.person_keys WHERE person_id = ANY(%s::text::uuid[])
"""


_GROUPS = {group: group.value.encode() for group in FieldGroup}


def _bound_to(person_id: UUID, group: FieldGroup) -> bytes:
    return person_id.bytes + _GROUPS[group]


def read_master_key(text: str | None, file: Path | None) -> bytes:
    """Return the master key from its base64 text, else from its file, which is created with mode 600 if it is missing.

    Raises:
        VaultError: neither is given, or the text is not 32 bytes in base64.
    """
    try:
        return read_key(text, file)
    except KeyFileError as error:
        raise VaultError(f"no master key: {error}; set HANDOFF_MASTER_KEY or HANDOFF_MASTER_KEY_FILE") from None
