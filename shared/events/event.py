"""What every event is: a frozen value, written strictly and read tolerantly."""

from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from operator import methodcaller
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


class Classification(StrEnum):
    """How carefully an event must be handled; a reader that does not know the label rejects the event."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Value(BaseModel):
    """A frozen part of an event; fields that a later version added are ignored by readers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Value):
    """Something that happened to one case.

    Subclasses fix `type`, which is also the CloudEvents `ce_type`, and may raise `classification`; those that may hold
    restricted data name its label in `restricted_label`.
    """

    classification: ClassVar[Classification] = Classification.INTERNAL
    restricted_label: ClassVar[Classification | None] = None

    type: str
    case_id: UUID

    @property
    def is_restricted(self) -> bool:
        """Tell whether this very event holds restricted data, or shows that there is some."""
        return False

    @property
    def label(self) -> Classification:
        """How carefully this very event must be handled."""
        return self.restricted_label if self.restricted_label and self.is_restricted else self.classification

    @property
    def identity_key(self) -> str:
        """What tells this event from others of the same type and cause, such as the referral's id."""
        return ""

    @property
    def happened_at(self) -> datetime:
        """When it happened in the world, as its source says."""
        raise NotImplementedError


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=64)]
"""A stable lower-case identifier: agencies, programs, services, needs, districts."""

Instant = Annotated[AwareDatetime, AfterValidator(methodcaller("astimezone", UTC))]
"""A point in time; given with any offset, kept and written in UTC."""


V = TypeVar("V", bound=Value)


def construct(kind: type[V], /, **said: Any) -> V:
    """Return a value of a kind without validating it: for hot paths only, where it takes a third of the time.

    Each value must be what validation would have made of it (moments in UTC, codes as their enumerations): tests hold
    what is made this way against its language.
    """
    made = kind.__new__(kind)
    defaults, names = _known(kind)
    object.__setattr__(made, "__dict__", {**defaults, **said})
    object.__setattr__(made, "__pydantic_fields_set__", names)
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


@cache
def _known(kind: type[Value]) -> tuple[dict[str, Any], set[str]]:
    fields = kind.model_fields
    return {name: field.default for name, field in fields.items() if not field.is_required()}, set(fields)
