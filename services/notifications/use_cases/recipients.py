"""Finds the recipients of mails. The sealed address is opened here, in memory, and stored nowhere in clear text."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from services.notifications.domain.deliveries import Addressed, Delivery, Suppressed, choose_recipient
from services.notifications.domain.notifications import Recipient
from shared.city.city import City
from shared.events.fields import ContactFields, FieldGroup
from shared.kit.database.database import Transaction
from shared.kit.vault.vault import Person, Vault, VaultError
from shared.policy.protection import strictest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The sealed address cannot be opened now: the master key is another one, or the block is damaged."""


RecipientResult = Addressed | Suppressed | Unreadable


class RecipientResolver:
    """Finds recipients as long as the vault has the persons' keys."""

    def __init__(self, vault: Vault, city: City) -> None:
        self._vault = vault
        self._city = city

    async def resolve(self, tx: Transaction, deliveries: Sequence[Delivery]) -> list[tuple[Delivery, RecipientResult]]:
        """Return each mail with its recipient, or why there is none."""
        wanted = {delivery.person_id for delivery in deliveries if delivery.contact and delivery.person_id}
        people = await self._load_people(tx, wanted)
        return [(delivery, self._resolve(delivery, people)) for delivery in deliveries]

    async def _load_people(self, tx: Transaction, wanted: set[UUID]) -> dict[UUID, Person | None]:
        """Return the persons who have a key, None if it cannot be used. Erased persons are missing.

        One unusable key makes the vault refuse all of them, so that they are then loaded one by one.
        """
        if not wanted:
            return {}
        try:
            return {**await self._vault.load(tx, wanted)}
        except VaultError as error:
            log.error("person key unusable: %s", error)  # noqa: TRY400 - the text says it all
            if len(wanted) == 1:
                return dict.fromkeys(wanted)
        found: dict[UUID, Person | None] = {}
        for person_id in wanted:
            found |= await self._load_people(tx, {person_id})
        return found

    def _resolve(self, delivery: Delivery, people: dict[UUID, Person | None]) -> RecipientResult:
        if delivery.template.recipient is Recipient.PRIVACY_OFFICE:
            return Addressed(self._city.profile.privacy_office, discreet=True)
        if delivery.erased:
            return Suppressed("erased")
        protects = strictest((*self._city.protection.protections_of(delivery.service_code, ()), delivery.protects))
        if delivery.contact is None or delivery.person_id is None:
            return choose_recipient(None, protects, delivery.template)
        if delivery.person_id not in people:
            return Suppressed("erased")
        person = people[delivery.person_id]
        try:
            return (
                choose_recipient(_email(person, delivery.contact), protects, delivery.template)
                if person
                else Unreadable()
            )
        except (VaultError, ValidationError):
            # No traceback: the error could quote the address.
            log.error("sealed address unreadable: delivery %s", delivery.id)  # noqa: TRY400
            return Unreadable()


def _email(person: Person, block: str) -> str | None:
    return ContactFields.model_validate_json(Vault.open(person, FieldGroup.CONTACT, block)).email
