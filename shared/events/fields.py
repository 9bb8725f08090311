"""Field groups: named sets of fields that are released or withheld together."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from shared.events.event import Value


class FieldGroup(StrEnum):
    """The unit of data sharing; agreements name groups, never single fields."""

    NEED = "need"
    LOCATION = "location"
    ADDRESS = "address"
    IDENTITY = "identity"
    CONTACT = "contact"
    HOUSEHOLD = "household"
    NARRATIVE = "narrative"
    HEALTH = "health"
    SUBSTANCE_USE = "substance_use"
    VICTIM_SERVICES = "victim_services"
    JUSTICE = "justice"
    LANGUAGE_ACCESS = "language_access"
    ATTACHMENTS = "attachments"


class NeedFields(Value):
    """The requested service and the need."""

    service_code: str
    need: str
    urgency: str


class LocationFields(Value):
    """The coarse location: at most an H3 cell of resolution 8 (about 0.7 km²)."""

    cell: str | None = None
    district: str | None = None


class AddressFields(Value):
    """The exact location."""

    address: str | None = None
    address_id: str | None = None
    postal_code: str | None = None
    lat: float | None = None
    long: float | None = None


class IdentityFields(Value):
    """The person who reported."""

    first_name: str | None = None
    last_name: str | None = None
    device_id: str | None = None
    account_id: str | None = None


class ContactFields(Value):
    """Contact data of the person who reported."""

    email: str | None = None
    phone: str | None = None


class NarrativeFields(Value):
    """The description, and the answers to the service's questions."""

    description: str | None = None
    attributes: dict[str, tuple[str, ...]] = Field(default={})


class AnswerFields(Value):
    """Answers to the service's questions that belong to a stricter group than `narrative`."""

    answers: dict[str, tuple[str, ...]] = Field(default={})


class HouseholdFields(AnswerFields):
    """Who lives with the person."""


class HealthFields(AnswerFields):
    """What the person said about their health."""


class SubstanceUseFields(AnswerFields):
    """What the person said about alcohol or drugs (42 CFR Part 2)."""


class VictimServicesFields(AnswerFields):
    """What the person said about violence against them."""


class JusticeFields(AnswerFields):
    """What the person said about courts, police or prison."""


class LanguageFields(Value):
    """The language that the resident prefers, as a BCP 47 tag."""

    language: str


class AttachmentFields(Value):
    """Links to the attachments of the report."""

    media_url: str | None = None


class Released(Value):
    """The groups of one case that are released to one agency; an absent group was withheld or never supplied."""

    need: NeedFields | None = None
    location: LocationFields | None = None
    address: AddressFields | None = None
    identity: IdentityFields | None = None
    contact: ContactFields | None = None
    narrative: NarrativeFields | None = None
    language_access: LanguageFields | None = None
    attachments: AttachmentFields | None = None
    household: HouseholdFields | None = None
    health: HealthFields | None = None
    substance_use: SubstanceUseFields | None = None
    victim_services: VictimServicesFields | None = None
    justice: JusticeFields | None = None


RESTRICTED: frozenset[FieldGroup] = frozenset(
    {FieldGroup.HEALTH, FieldGroup.SUBSTANCE_USE, FieldGroup.VICTIM_SERVICES, FieldGroup.JUSTICE}
)
"""Groups that no event carries unencrypted."""

GROUP_MODELS: Mapping[FieldGroup, type[Value]] = {
    FieldGroup.ADDRESS: AddressFields,
    FieldGroup.IDENTITY: IdentityFields,
    FieldGroup.CONTACT: ContactFields,
    FieldGroup.HOUSEHOLD: HouseholdFields,
    FieldGroup.NARRATIVE: NarrativeFields,
    FieldGroup.HEALTH: HealthFields,
    FieldGroup.SUBSTANCE_USE: SubstanceUseFields,
    FieldGroup.VICTIM_SERVICES: VictimServicesFields,
    FieldGroup.JUSTICE: JusticeFields,
    FieldGroup.ATTACHMENTS: AttachmentFields,
}
"""The groups that are sealed in events; a decrypted block is the JSON of the model."""

SEALED_GROUPS: tuple[FieldGroup, ...] = tuple(GROUP_MODELS)
