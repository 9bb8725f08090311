"""Opens and seals with the keys of the persons whom a batch is about, and of the agencies that are told of them."""

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
"""What a person's key for digests is derived for (one block of HKDF, RFC 5869, from a key that is random already)."""


def refuse_to_encrypt(agency: str, plain: bytes) -> str:  # noqa: ARG001 - whoever seals is given both
    """Refuse: no agency has a public key.

    Raises:
        LookupError: always.
    """
    raise LookupError(f"agency {agency} has no public key")


class PersonKeyring:
    """The persons of one batch that still have a key; what belongs to any other can be neither opened nor sealed."""

    def __init__(self, persons: Mapping[UUID, Person], seal_to: EncryptTo = refuse_to_encrypt) -> None:
        self._persons = persons
        self.seal_to = seal_to

    def unseal(self, report: CaseSubmitted, group: FieldGroup) -> bytes | None:
        """Open one group of a report; None when its person was erased or the block is not theirs."""
        person = self._of(report)
        if person is None:
            return None
        try:
            return Vault.open(person, group, report.sealed[group])
        except (KeyError, VaultError):
            return None

    def seal(self, report: CaseSubmitted, words: str) -> str | None:
        """Seal what an agency wrote about a report; None when nobody's key is there to do it."""
        person = self._of(report)
        return Vault.seal(person, FieldGroup.NARRATIVE, words.encode()) if person else None

    def read(self, report: CaseSubmitted, words: str) -> str | None:
        """Open what an agency wrote; None when the person was erased."""
        person = self._of(report)
        try:
            return Vault.open(person, FieldGroup.NARRATIVE, words).decode() if person else None
        except VaultError:
            return None

    def digest(self, report: CaseSubmitted, sent: bytes) -> bytes:
        """Return the HMAC-SHA256 of what was sent, by a key that is erased with the person's; SHA-256 without one."""
        person = self._of(report)
        if person is None:
            return sha256(sent).digest()
        return hmac.digest(hmac.digest(person.secret, DIGEST_KEY_INFO, "sha256"), sent, "sha256")

    def _of(self, report: CaseSubmitted) -> Person | None:
        return self._persons.get(report.person_id) if report.person_id else None
