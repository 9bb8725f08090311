"""What residents can ask for, and what each service wants to know."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Urgency
from shared.policy.protection import protection_rules

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
LISTS = frozenset({"singlevaluelist", "multivaluelist"})

AnswerGroup = Literal[
    FieldGroup.HOUSEHOLD, FieldGroup.HEALTH, FieldGroup.SUBSTANCE_USE, FieldGroup.VICTIM_SERVICES, FieldGroup.JUSTICE
]
"""The groups that an answer may belong to when it is more delicate than the narrative."""


class Part(BaseModel):
    """A frozen part of a jurisdiction's files; a word that nobody knows is a mistake in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(Part):
    """One choice of a list."""

    key: str
    name: str


class Attribute(Part):
    """One further question of a service, in the terms of Open311's service definition.

    `group` is the field group of its answer; without one it belongs to the narrative.
    """

    variable: bool = True
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    datatype: Datatype = "string"
    required: bool = False
    datatype_description: str = ""
    order: int = 1
    description: str
    values: tuple[Choice, ...] = ()
    group: AnswerGroup | None = None

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys that may be chosen."""
        return frozenset(choice.key for choice in self.values)


class NeedKind(Part):
    """One kind of need."""

    code: Slug
    family: str
    name: str
    description: str = ""


class ServiceKind(Part):
    """One thing that residents can ask for."""

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
        """The further questions, in their order."""
        return tuple(sorted(self.attribute, key=lambda attribute: attribute.order))

    @cached_property
    def asked(self) -> dict[str, Attribute]:
        """The questions that callers answer, by code."""
        return {attribute.code: attribute for attribute in self.attribute if attribute.variable}


class Catalogue:
    """Every service and every need, by code, and what protects reports: a protected one is never shown in public."""

    def __init__(self, services: tuple[ServiceKind, ...], needs: tuple[NeedKind, ...]) -> None:
        self.services = {service.code: service for service in services}
        self.needs = {need.code: need for need in needs}
        self.protection = protection_rules(services)

    def __iter__(self) -> Iterator[ServiceKind]:
        """Give the services in the order of their file."""
        return iter(self.services.values())

    def groups(self) -> dict[str, list[ServiceKind]]:
        """Return the services under their headings."""
        headings: dict[str, list[ServiceKind]] = {}
        for service in self:
            headings.setdefault(service.group, []).append(service)
        return headings


class ServicesFile(Part):
    """What services.toml says."""

    service: tuple[ServiceKind, ...]

    @model_validator(mode="after")
    def _codes_differ(self) -> Self:
        codes = [service.code for service in self.service]
        doubles = sorted({code for code in codes if codes.count(code) > 1})
        if doubles:
            raise ValueError(f"service codes are used twice: {', '.join(doubles)}")
        return self


class NeedsFile(Part):
    """What needs.toml says."""

    need: tuple[NeedKind, ...]
