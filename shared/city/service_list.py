"""services.toml and needs.toml: what residents can ask for, and which needs that opens."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from shared.city.toml_files import FilePart
from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Urgency

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
"""The datatypes of an attribute (Open311 GeoReport v2, service definition)."""

LISTS = frozenset({"singlevaluelist", "multivaluelist"})
"""The datatypes whose answers are chosen from `values`."""

AnswerGroup = Literal[
    FieldGroup.HOUSEHOLD, FieldGroup.HEALTH, FieldGroup.SUBSTANCE_USE, FieldGroup.VICTIM_SERVICES, FieldGroup.JUSTICE
]
"""The field groups that an answer may belong to when it is more sensitive than the narrative."""


class AnswerChoice(FilePart):
    """One value of a list attribute: its key for programs, its name for people."""

    key: str
    name: str


class Attribute(FilePart):
    """One further question of a service (Open311 GeoReport v2, service definition).

    `variable` attributes are answered, the others are only shown. `group` is the field group of the
    answer; without one the answer belongs to the narrative.
    """

    variable: bool = True
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    datatype: Datatype = "string"
    required: bool = False
    datatype_description: str = ""
    order: int = 1
    description: str
    values: tuple[AnswerChoice, ...] = ()
    group: AnswerGroup | None = None

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys that may be chosen."""
        return frozenset(choice.key for choice in self.values)


class NeedKind(FilePart):
    """One kind of need; `family` is `social` (an SDOH category) or `city`."""

    code: Slug
    family: str
    name: str
    description: str = ""


class ServiceKind(FilePart):
    """One thing that residents can ask for.

    A request opens a case with `needs`. `protects` is the field group whose strict rules hold for
    every report of the service, whatever else the report says.
    """

    code: Slug
    name: str
    description: str
    keywords: tuple[str, ...] = ()
    group: str
    type: Literal["realtime"] = "realtime"
    needs: Annotated[tuple[Slug, ...], Field(min_length=1)]
    urgency: Urgency = "routine"
    protects: FieldGroup | None = None
    attribute: tuple[Attribute, ...] = ()

    @cached_property
    def questions(self) -> tuple[Attribute, ...]:
        """The attributes in their order."""
        return tuple(sorted(self.attribute, key=lambda attribute: attribute.order))

    @cached_property
    def asked(self) -> dict[str, Attribute]:
        """The attributes that are answered, by code."""
        return {attribute.code: attribute for attribute in self.attribute if attribute.variable}


class ServicesFile(FilePart):
    """services.toml."""

    service: tuple[ServiceKind, ...] = Field(min_length=1)


class NeedsFile(FilePart):
    """needs.toml."""

    need: tuple[NeedKind, ...] = Field(min_length=1)
