"""The static release plan: which field groups of a case each agency is given. What it does not name is withheld."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from shared.events.event import Value
from shared.events.fields import (
    AddressFields,
    AttachmentFields,
    ContactFields,
    FieldGroup,
    IdentityFields,
    LanguageFields,
    LocationFields,
    NarrativeFields,
    NeedFields,
    Released,
)
from shared.events.intake import CaseSubmitted, Place
from shared.events.making import make

Unseal = Callable[[CaseSubmitted, FieldGroup], bytes | None]
"""Opens one sealed group of a report; None when nobody can (the person was erased, the block is not theirs)."""

CONSENT_ONLY: Final = frozenset({FieldGroup.VICTIM_SERVICES})
"""Nothing that belongs here leaves without a written consent that names the recipient, and no plan can be one."""

UNSPOKEN: Final = frozenset({FieldGroup.VICTIM_SERVICES, FieldGroup.SUBSTANCE_USE})
"""Groups whose mere existence tells something about a person: their withholding is not mentioned."""

FINEST_CELL: Final = 8
"""The finest H3 resolution that counts as a rough place."""

_SEALED: Final[Mapping[FieldGroup, type[Value]]] = {
    FieldGroup.ADDRESS: AddressFields,
    FieldGroup.IDENTITY: IdentityFields,
    FieldGroup.CONTACT: ContactFields,
    FieldGroup.NARRATIVE: NarrativeFields,
    FieldGroup.ATTACHMENTS: AttachmentFields,
}


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """The groups that each agency is given; an agency that is not named is given nothing."""

    groups: Mapping[str, frozenset[FieldGroup]]

    def entitles(self, agency: str, protected: FieldGroup | None) -> bool:
        """Tell whether a case may reach the agency at all; `protected` is the strict group that it belongs to."""
        granted = self.groups.get(agency)
        if granted is None or protected in CONSENT_ONLY:
            return False
        return protected is None or protected in granted

    def granted_to(self, agency: str) -> frozenset[FieldGroup]:
        """Return what the agency is given."""
        return self.groups.get(agency, frozenset())


@dataclass(frozen=True, slots=True)
class Release:
    """What one agency is given of one case, and the names of what it is not given."""

    released: Released
    withheld: tuple[FieldGroup, ...]


def release(granted: frozenset[FieldGroup], report: CaseSubmitted, need: str, unseal: Unseal) -> Release:
    """Open what is granted, and nothing else; a group that cannot be read is withheld."""
    given: dict[str, Value] = {}
    withheld: list[FieldGroup] = []
    for group in _existing(report):
        fields = _read(group, report, need, unseal) if group in granted and group not in CONSENT_ONLY else None
        if fields is not None:
            given[group] = fields
        elif group not in UNSPOKEN:
            withheld.append(group)
    return Release(make(Released, **given), tuple(withheld))


def _existing(report: CaseSubmitted) -> Iterator[FieldGroup]:
    yield FieldGroup.NEED
    if report.place.cell or report.place.district:
        yield FieldGroup.LOCATION
    yield FieldGroup.LANGUAGE_ACCESS
    yield from report.sealed


def _read(group: FieldGroup, report: CaseSubmitted, need: str, unseal: Unseal) -> Value | None:
    if group is FieldGroup.NEED:
        return make(NeedFields, service_code=report.service_code, need=need, urgency=report.urgency)
    if group is FieldGroup.LOCATION:
        return _roughly(report.place)
    if group is FieldGroup.LANGUAGE_ACCESS:
        return make(LanguageFields, language=report.language)
    model = _SEALED.get(group)
    opened = unseal(report, group) if model else None
    if model is None or opened is None:
        return None
    try:
        return model.model_validate_json(opened)
    except ValidationError:
        return None


def _roughly(place: Place) -> LocationFields:
    """Leave out a cell that is finer than it may be, or not a cell."""
    rough = place.cell if place.cell and _resolution(place.cell) <= FINEST_CELL else None
    return make(LocationFields, cell=rough, district=place.district)


def _resolution(cell: str) -> int:
    """Return the resolution of an H3 index: its bits 52 to 55 (H3, "H3Index representations")."""
    try:
        return int(cell, 16) >> 52 & 0xF
    except ValueError:
        return FINEST_CELL + 1
