"""The keys of the persons of one batch: decrypts and encrypts what is about them, and encrypts to agencies."""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final
from uuid import UUID

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.kit.vault.vault import Person, Vault, VaultError

EncryptTo = Callable[[str, bytes], str]
"""Encrypts something to the public key of an agency."""

DIGEST_KEY_INFO: Final = b"handoff receipt digest"
"""Derives the digest key from a person's key: one block of HKDF-Expand (RFC 5869); that key is random already."""


def refuse_to_encrypt(agency: str, plain: bytes) -> str:  # noqa: ARG001 - the signature of EncryptTo
    """Encrypt to no agency, where none has a public key.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"agency {agency} has no public key")


class PersonKeyring:
    """The persons that still have a key. What is about any other person can be neither decrypted nor encrypted."""

    def __init__(self, persons: Mapping[UUID, Person], encrypt_to: EncryptTo = refuse_to_encrypt) -> None:
        self._persons = persons
        self.encrypt_to = encrypt_to

    def unseal(self, report: CaseSubmitted, group: FieldGroup) -> bytes | None:
        """Decrypt one field group of a report; None if its person was erased or the block is not theirs."""
        person = self._person(report)
        if person is None:
            return None
        try:
            return Vault.open(person, group, report.sealed[group])
        except (KeyError, VaultError):
            return None

    def seal(self, report: CaseSubmitted, words: str) -> str | None:
        """Encrypt an agency's words about a report under its person's key; None if there is no key."""
        person = self._person(report)
        return Vault.seal(person, FieldGroup.NARRATIVE, words.encode()) if person else None

    def read(self, report: CaseSubmitted, words: str) -> str | None:
        """Decrypt an agency's words about a report; None if its person was erased."""
        person = self._person(report)
        try:
            return Vault.open(person, FieldGroup.NARRATIVE, words).decode() if person else None
        except VaultError:
            return None

    def digest(self, report: CaseSubmitted, sent: bytes) -> bytes:
        """Return an HMAC-SHA256 of what was sent, or a SHA-256 where the person has no key.

        The HMAC's key is erased with the person's: then the ledger does not tell what was sent about them.
        """
        person = self._person(report)
        if person is None:
            return sha256(sent).digest()
        return hmac.digest(hmac.digest(person.secret, DIGEST_KEY_INFO, "sha256"), sent, "sha256")

    def _person(self, report: CaseSubmitted) -> Person | None:
        return self._persons.get(report.person_id) if report.person_id else None
