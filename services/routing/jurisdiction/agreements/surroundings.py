"""What agreements are held against: who there is, what can be reported, and whom the routing book asks for help."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from services.routing.domain.rules import RoutingRules, Rule
from services.routing.jurisdiction.forms import ProgramForm, ServiceForm
from services.routing.jurisdiction.reading import Folder
from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR
from shared.policy.protection import protection_rules


class Report(NamedTuple):
    """One kind of thing that the routing book is asked about, and the agencies that it may name for it."""

    service: str
    need: str
    district: str | None
    urgency: frozenset[str] | None
    """None when whoever reports may state any."""
    protections: tuple[FieldGroup, ...]
    agencies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The city around the agreements; `keys` are the agencies with a public key, None where that is not known."""

    agencies: frozenset[str]
    needs: frozenset[str]
    services: frozenset[str]
    districts: frozenset[str]
    reports: tuple[Report, ...]
    keys: frozenset[str] | None = None
    asked_for: dict[str, frozenset[str]] = field(default_factory=dict)
    """For each service, every agency that a case of it may have a referral to."""

    @property
    def parties(self) -> frozenset[str]:
        """Who may be a party to an agreement."""
        return self.agencies | {FRONT_DOOR}


def surroundings_of(folder: Folder, keys: Collection[str] | None = None) -> Surroundings:
    """Gather from a jurisdiction's files what agreements are held against."""
    reports = tuple(_reports(folder))
    asked: dict[str, frozenset[str]] = {}
    for report in reports:
        asked[report.service] = asked.get(report.service, frozenset()) | report.agencies
    return Surroundings(
        agencies=frozenset(agency.id for agency in folder.agencies.agency),
        needs=frozenset(need.code for need in folder.needs.need),
        services=frozenset(service.code for service in folder.services.service),
        districts=frozenset(district.id for district in folder.districts.district),
        reports=reports,
        keys=None if keys is None else frozenset(keys),
        asked_for=asked,
    )


def _reports(folder: Folder) -> Iterator[Report]:
    book = RoutingRules(
        Rule(form.id, form.candidates, form.service, form.need, form.district, form.fallback)
        for form in folder.book.rule
    )
    programs = dict(folder.agencies.programs())
    places = [None, *(district.id for district in folder.districts.district)]
    rules = protection_rules(folder.services.service)
    for service in folder.services.service:
        protections = rules.protections_of(service.code, service.needs)
        for need, place in product(service.needs, places):
            agencies = frozenset(_asked(book.find(service.code, need, place), programs, place))
            yield Report(service.code, need, place, _urgency(service), protections, agencies)


def _urgency(service: ServiceForm) -> frozenset[str] | None:
    asks = any(question.code == "urgency" for question in service.attribute)
    return None if asks else frozenset({service.urgency})


def _asked(rule: Rule | None, programs: Mapping[str, ProgramForm], place: str | None) -> Iterator[str]:
    """Go through the agencies of the programs that a rule names and that serve the place."""
    for name in () if rule is None else (*rule.candidates, *filter(None, (rule.fallback,))):
        program = programs.get(name)
        if program is not None and (not program.districts or place in program.districts):
            yield name.partition("/")[0]
