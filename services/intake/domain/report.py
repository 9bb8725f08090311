"""Reads a resident's report from the fields of a form: the result is a complete report, or every problem with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast, get_args

from services.intake.domain.city import IntakeCity
from services.intake.domain.consents import Permission, read_permission
from services.intake.domain.personal_data import (
    Answers,
    Personal,
    ReportedLocation,
    group_answers,
    read_answers,
    read_location,
    read_personal,
)
from services.intake.domain.validation import (
    Fields,
    Problem,
    Refusal,
    check_fields,
    invalid,
    list_values,
    not_found,
    text_of,
)
from shared.city.service_list import ServiceKind
from shared.events.fields import FieldGroup
from shared.events.intake import Place, Urgency

MAX_NEEDS: Final = 10
URGENCIES: Final = frozenset(get_args(Urgency))
URGENCY_QUESTION: Final = "urgency"
"""The code of the question whose answer decides how urgent a report is, in services that have it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a resident asks for, complete and checked.

    `protections` are the groups that protect the whole report, strictest first; `permission` is the consent that was
    given in the same form.
    """

    service: ServiceKind
    needs: tuple[str, ...]
    protections: tuple[FieldGroup, ...]
    place: Place
    urgency: Urgency
    language: str
    personal: Personal
    account_id: str | None
    permission: Permission | None = None


def read_report(fields: Fields, jurisdiction: IntakeCity, now: datetime) -> Report | Refusal:
    """Read a report, and the consent that comes with it.

    The refusal has status 404 for an unknown service or jurisdiction, else 400.
    """
    problems = check_fields(fields) + check_jurisdiction(text_of(fields, "jurisdiction_id"), jurisdiction)
    service = _find_service(fields, jurisdiction, problems)
    location, in_location = read_location(fields)
    answers, in_answers = read_answers(fields, service, jurisdiction.profile.zone) if service else ({}, [])
    problems += in_location + in_answers
    needs = _read_needs(fields, service, jurisdiction, problems)
    personal, in_personal = read_personal(fields, location, group_answers(answers, service) if service else {})
    problems += in_personal
    language = _read_language(fields, jurisdiction, problems)
    permission, in_consent = _read_permission(fields, service, needs, jurisdiction, now)
    problems += in_consent
    if service is None or problems:
        return Refusal(tuple(problems))
    return Report(
        service=service,
        needs=needs,
        protections=jurisdiction.protections_of(service.code, needs),
        place=_place(location, jurisdiction),
        urgency=_urgency(service, answers),
        language=language,
        personal=personal,
        account_id=text_of(fields, "account_id"),
        permission=permission,
    )


def check_jurisdiction(given: str | None, jurisdiction: IntakeCity) -> list[Problem]:
    """Refuse the id of another jurisdiction; without an id this one is meant, as Open311 allows."""
    if given is None or given == jurisdiction.profile.jurisdiction_id:
        return []
    return [not_found("jurisdiction_id was not found", "jurisdiction_id")]


def _find_service(fields: Fields, jurisdiction: IntakeCity, problems: list[Problem]) -> ServiceKind | None:
    code = text_of(fields, "service_code")
    service = jurisdiction.catalogue.services.get(code) if code else None
    if code is None:
        problems.append(invalid("service_code is required", "service_code", "missing"))
    elif service is None:
        problems.append(not_found("service_code was not found", "service_code"))
    return service


def _read_needs(
    fields: Fields, service: ServiceKind | None, jurisdiction: IntakeCity, problems: list[Problem]
) -> tuple[str, ...]:
    """Return the service's own needs and those that the report adds, each once."""
    if service and "need" not in fields:
        return service.needs
    needs = tuple(dict.fromkeys((*(service.needs if service else ()), *list_values(fields, "need"))))
    if any(need not in jurisdiction.catalogue.needs for need in needs):
        problems.append(invalid("need names something that is not one of the needs of this jurisdiction", "need"))
    elif len(needs) > MAX_NEEDS:
        problems.append(invalid(f"need: a report carries {MAX_NEEDS} needs at most", "need"))
    return needs


def _read_permission(
    fields: Fields, service: ServiceKind | None, needs: tuple[str, ...], jurisdiction: IntakeCity, now: datetime
) -> tuple[Permission | None, list[Problem]]:
    # Most reports come without a consent: they are not searched for options.
    if service is None or not any(name.startswith("consent") for name in fields):
        return None, []
    options = jurisdiction.consent_options(service.code, needs, now)
    return read_permission(fields, options, now, jurisdiction.profile.zone)


def _read_language(fields: Fields, jurisdiction: IntakeCity, problems: list[Problem]) -> str:
    city = jurisdiction.profile
    language = text_of(fields, "language") or city.default_language
    if language not in city.languages:
        problems.append(invalid(f"language must be one of {', '.join(city.languages)}", "language"))
    return language


def _place(location: ReportedLocation, jurisdiction: IntakeCity) -> Place:
    """Return the cell and district of a report: all of its place that is not sealed."""
    if location.lat is not None and location.long is not None:
        return jurisdiction.districts.at(location.lat, location.long)
    return Place(district=jurisdiction.districts.within(location.address or ""))


def _urgency(service: ServiceKind, answers: Answers) -> Urgency:
    """Return the urgency that the report states, where its service asks for it, else the service's."""
    stated = answers.get(URGENCY_QUESTION, ("",))[0]
    return cast("Urgency", stated) if stated in URGENCIES else service.urgency
