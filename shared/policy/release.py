"""Decrypts the groups of a report that a release plan releases, and no others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from shared.events.event import Value, construct
from shared.events.fields import (
    GROUP_MODELS,
    FieldGroup,
    LanguageFields,
    LocationFields,
    NarrativeFields,
    NeedFields,
    Released,
)
from shared.events.intake import CaseSubmitted, Place
from shared.policy.agreements import Form
from shared.policy.plan import NEVER_MENTIONED, ReleasePlan
from shared.policy.redaction import REGION, redact

Unseal = Callable[[CaseSubmitted, FieldGroup], bytes | None]
"""Decrypts one sealed group of a report; None if it cannot (person erased, or a block of another person)."""

FINEST_CELL: Final = 8
"""The finest H3 resolution that counts as a coarse location."""

NOTHING: Final = construct(Released)


@dataclass(frozen=True, slots=True)
class Release:
    """The released data of one case by form, and the names of the withheld groups.

    `withheld` lists what the plan withholds, whether or not the case has it, so that the list does not reveal what the
    case contains. It also lists released groups of the case that cannot be decrypted.
    """

    full: Released = NOTHING
    sealed: Released = NOTHING
    thin: Released = NOTHING
    withheld: tuple[FieldGroup, ...] = ()

    def whole(self) -> Released:
        """Return the released data of all forms: the answer of the partner API."""
        given = {
            name: value for part in (self.full, self.sealed, self.thin) for name, value in part if value is not None
        }
        return construct(Released, **given)


def release(plan: ReleasePlan, report: CaseSubmitted, need: str, unseal: Unseal, region: str = REGION) -> Release:
    """Decrypt what the plan releases; an agency that may not know the need receives nothing.

    The narrative is redacted for an agency that may not know the identity; `region` is the ISO 3166-1 code by which
    telephone numbers are recognized.
    """
    if not plan.entitled:
        return Release(withheld=plan.withheld)
    had = [group for group in _existing(report) if group in plan.groups]
    opened = {group: fields for group in had if (fields := _read(group, report, need, unseal)) is not None}
    words = opened.get(FieldGroup.NARRATIVE)
    if isinstance(words, NarrativeFields) and FieldGroup.IDENTITY not in plan.groups:
        opened[FieldGroup.NARRATIVE] = _redacted(words, region)
    locked = tuple(group for group in had if group not in opened and group not in NEVER_MENTIONED)
    full, sealed, thin = [_part(plan.groups_in(form), opened) for form in Form]
    return Release(full, sealed, thin, (*plan.withheld, *locked) if locked else plan.withheld)


def _part(groups: frozenset[FieldGroup], opened: Mapping[FieldGroup, Value]) -> Released:
    given = {group.value: fields for group, fields in opened.items() if group in groups} if groups else None
    return construct(Released, **given) if given else NOTHING


def _existing(report: CaseSubmitted) -> Iterator[FieldGroup]:
    yield FieldGroup.NEED
    if report.place.cell or report.place.district:
        yield FieldGroup.LOCATION
    yield FieldGroup.LANGUAGE_ACCESS
    yield from report.sealed


def _read(group: FieldGroup, report: CaseSubmitted, need: str, unseal: Unseal) -> Value | None:
    if group is FieldGroup.NEED:
        return construct(NeedFields, service_code=report.service_code, need=need, urgency=report.urgency)
    if group is FieldGroup.LOCATION:
        return _roughly(report.place)
    if group is FieldGroup.LANGUAGE_ACCESS:
        return construct(LanguageFields, language=report.language)
    model = GROUP_MODELS.get(group)
    opened = unseal(report, group) if model else None
    if model is None or opened is None:
        return None
    try:
        return model.model_validate_json(opened)
    except ValidationError:
        return None


def _redacted(words: NarrativeFields, region: str) -> NarrativeFields:
    """Redact the description and every answer: the report does not mark which answers are free text."""
    answers = {code: tuple(redact(answer, region) for answer in given) for code, given in words.attributes.items()}
    return construct(
        NarrativeFields,
        description=words.description and redact(words.description, region),
        attributes=answers,
    )


def _roughly(place: Place) -> LocationFields:
    """Return the coarse location; a cell that is too fine or not a cell is left out."""
    rough = place.cell if place.cell and _resolution(place.cell) <= FINEST_CELL else None
    return construct(LocationFields, cell=rough, district=place.district)


def _resolution(cell: str) -> int:
    """Return the resolution of an H3 index: its bits 52 to 55 (H3, "H3Index representations")."""
    try:
        return int(cell, 16) >> 52 & 0xF
    except ValueError:
        return FINEST_CELL + 1
