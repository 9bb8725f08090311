"""Opens and seals with the keys of the persons whom a batch is about."""

from collections.abc import Mapping
from uuid import UUID

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.kit.vault import Person, Vault, VaultError


class People:
    """The persons of one batch that still have a key; what belongs to any other can be neither opened nor sealed."""

    def __init__(self, persons: Mapping[UUID, Person]) -> None:
        self._persons = persons

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

    def _of(self, report: CaseSubmitted) -> Person | None:
        return self._persons.get(report.person_id) if report.person_id else None
