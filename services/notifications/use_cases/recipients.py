"""Looking up where mails go: the sealed address is opened here, in memory, and nowhere else."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from services.notifications.domain.deliveries import Addressed, Delivery, Suppressed, choose_recipient
from services.notifications.domain.news import Recipient as Addressee
from services.notifications.jurisdiction import Jurisdiction
from shared.events.fields import ContactFields, FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.vault.vault import Person, Vault, VaultError
from shared.policy.protection import strictest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The sealed address cannot be opened now: the key is another one, or the block has been altered."""


Recipient = Addressed | Suppressed | Unreadable


class AddressBook:
    """Finds the recipients of mails, as long as the persons' keys are there."""

    def __init__(self, vault: Vault, city: Jurisdiction) -> None:
        self._vault = vault
        self._city = city

    async def look_up(self, tx: Transaction, deliveries: Sequence[Delivery]) -> list[tuple[Delivery, Recipient]]:
        """Find the recipient of each mail."""
        wanted = {delivery.person_id for delivery in deliveries if delivery.contact and delivery.person_id}
        people = await self._people(tx, wanted)
        return [(delivery, self._recipient(delivery, people)) for delivery in deliveries]

    async def _people(self, tx: Transaction, wanted: set[UUID]) -> dict[UUID, Person | None]:
        """Return those who have a key: None for a key that cannot be used. Erased persons are absent."""
        if not wanted:
            return {}
        try:
            return {**await self._vault.load(tx, wanted)}
        except VaultError as error:
            log.error("a person's key cannot be used: %s", error)  # noqa: TRY400 - the text says it all
            if len(wanted) == 1:
                return dict.fromkeys(wanted)
        found: dict[UUID, Person | None] = {}
        for person_id in wanted:
            found |= await self._people(tx, {person_id})
        return found

    def _recipient(self, delivery: Delivery, people: dict[UUID, Person | None]) -> Recipient:
        if delivery.template.recipient is Addressee.PRIVACY_OFFICE:
            return Addressed(self._city.privacy_contact, discreet=True)
        if delivery.erased:
            return Suppressed("erased")
        protects = strictest((*self._city.protection.protections_of(delivery.service_code, ()), delivery.protects))
        if delivery.contact is None or delivery.person_id is None:
            return choose_recipient(None, protects, delivery.template)
        if delivery.person_id not in people:
            return Suppressed("erased")
        person = people[delivery.person_id]
        try:
            return self._opened(person, delivery, protects) if person else Unreadable()
        except (VaultError, ValidationError):
            log.error("the address of delivery %s cannot be opened", delivery.id)  # noqa: TRY400 - it could be quoted
            return Unreadable()

    def _opened(self, person: Person, delivery: Delivery, protects: FieldGroup | None) -> Recipient:
        return choose_recipient(_email(person, delivery.contact or ""), protects, delivery.template)


def _email(person: Person, block: str) -> str | None:
    return ContactFields.model_validate_json(Vault.open(person, FieldGroup.CONTACT, block)).email
