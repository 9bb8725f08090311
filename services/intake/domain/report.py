"""A resident's report, read from the fields of a form: either all of it can be taken, or every reason is told."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast, get_args

from services.intake.domain.answers import Answers, read_answers
from services.intake.domain.catalogue import ServiceKind
from services.intake.domain.city import Jurisdiction
from services.intake.domain.consents import Permission, read_permission
from services.intake.domain.fields import Fields, listed, misused, text_of
from services.intake.domain.personal import Personal, read_personal, sort_answers
from services.intake.domain.position import ReportedLocation, read_location
from services.intake.domain.problems import Problem, Refusal, bad, unknown
from shared.events.fields import FieldGroup
from shared.events.intake import Place, Urgency

MOST_NEEDS = 10
URGENCIES = frozenset(get_args(Urgency))
URGENCY_QUESTION = "urgency"


@dataclass(frozen=True, slots=True)
class Report:
    """What a resident asks for, found to be complete and well formed."""

    service: ServiceKind
    needs: tuple[str, ...]
    protections: tuple[FieldGroup, ...]
    place: Place
    urgency: Urgency
    language: str
    personal: Personal
    account_id: str | None
    permission: Permission | None = None


def read_report(fields: Fields, jurisdiction: Jurisdiction, now: datetime) -> Report | Refusal:
    """Read a report, and the consent that comes with it.

    Refused with 404 for an unknown service or jurisdiction, and with 400 for whatever is missing or malformed.
    """
    problems = misused(fields) + check_jurisdiction(text_of(fields, "jurisdiction_id"), jurisdiction)
    service, missing = _find_service(fields, jurisdiction)
    problems += missing
    position, misplaced = read_location(fields)
    answers, unanswered = read_answers(fields, service, jurisdiction.city.zone) if service else ({}, [])
    needs, strange = _read_needs(fields, service, jurisdiction)
    personal, faulty = read_personal(fields, position, sort_answers(answers, service) if service else {})
    language, unread = _read_language(fields, jurisdiction)
    permission, unclear = _read_permission(fields, (service, needs), jurisdiction, now)
    problems += misplaced + unanswered + strange + faulty + unread + unclear
    if service is None or problems:
        return Refusal(tuple(problems))
    return Report(
        service=service,
        needs=needs,
        protections=jurisdiction.protections_of(service.code, needs),
        place=_place(position, jurisdiction),
        urgency=_urgency(service, answers),
        language=language,
        personal=personal,
        account_id=text_of(fields, "account_id"),
        permission=permission,
    )


def check_jurisdiction(given: str | None, jurisdiction: Jurisdiction) -> list[Problem]:
    """Refuse another jurisdiction than ours; since there is one only, nobody has to name it."""
    if given is None or given == jurisdiction.city.jurisdiction_id:
        return []
    return [unknown("jurisdiction_id was not found", "jurisdiction_id")]


def _find_service(fields: Fields, jurisdiction: Jurisdiction) -> tuple[ServiceKind | None, list[Problem]]:
    code = text_of(fields, "service_code")
    if code is None:
        return None, [bad("service_code is required", "service_code", "missing")]
    service = jurisdiction.catalogue.services.get(code)
    return service, [] if service else [unknown("service_code was not found", "service_code")]


def _read_needs(
    fields: Fields, service: ServiceKind | None, jurisdiction: Jurisdiction
) -> tuple[tuple[str, ...], list[Problem]]:
    """Return the service's own needs and those that the report adds, each once."""
    if service and "need" not in fields:
        return service.needs, []
    needs = tuple(dict.fromkeys((*(service.needs if service else ()), *listed(fields, "need"))))
    if any(need not in jurisdiction.catalogue.needs for need in needs):
        return needs, [bad("need names something that is not one of the needs of this jurisdiction", "need")]
    if len(needs) > MOST_NEEDS:
        return needs, [bad(f"need: a report carries {MOST_NEEDS} needs at most", "need")]
    return needs, []


def _read_permission(
    fields: Fields, asked: tuple[ServiceKind | None, tuple[str, ...]], jurisdiction: Jurisdiction, now: datetime
) -> tuple[Permission | None, list[Problem]]:
    service, needs = asked
    if service is None or not any(name.startswith("consent") for name in fields):
        return None, []
    offers = jurisdiction.offers(service.code, needs, now)
    return read_permission(fields, offers, now, jurisdiction.city.zone)


def _read_language(fields: Fields, jurisdiction: Jurisdiction) -> tuple[str, list[Problem]]:
    city = jurisdiction.city
    language = text_of(fields, "language") or city.default_language
    if language not in city.languages:
        return language, [bad(f"language must be one of {', '.join(city.languages)}", "language")]
    return language, []


def _place(position: ReportedLocation, jurisdiction: Jurisdiction) -> Place:
    if position.lat is not None and position.long is not None:
        return jurisdiction.districts.at(position.lat, position.long)
    return Place(district=jurisdiction.districts.within(position.address or ""))


def _urgency(service: ServiceKind, answers: Answers) -> Urgency:
    """Return the urgency that the report itself states, where its service asks for it, else the service's."""
    stated = answers.get(URGENCY_QUESTION, ("",))[0]
    return cast("Urgency", stated) if stated in URGENCIES else service.urgency
