"""Makes of the files what decisions are made with."""

from pathlib import Path

from services.routing.domain.book import RoutingBook, Rule
from services.routing.domain.placing import City
from services.routing.domain.programs import Program
from services.routing.jurisdiction.checks import contradictions
from services.routing.jurisdiction.forms import AgenciesFile, BookFile
from services.routing.jurisdiction.reading import JurisdictionError, read_folder
from shared.policy.release import ReleasePlan


def load_city(path: Path) -> City:
    """Read the agencies, the routing book, the release plan and the service list of a jurisdiction.

    Raises:
        JurisdictionError: a file cannot be used, or the files contradict one another.
    """
    folder = read_folder(path)
    wrong = list(contradictions(folder))
    if wrong:
        raise JurisdictionError("\n  ".join([f"{path} cannot be used:", *wrong]))
    return City(
        programs={program.name: program for program in _programs(folder.agencies)},
        book=_book(folder.book),
        plan=ReleasePlan({release.agency: frozenset(release.groups) for release in folder.plan.release}),
        protects={service.code: service.protects for service in folder.services.service},
    )


def _programs(file: AgenciesFile) -> list[Program]:
    return [
        Program(agency.id, form.id, frozenset(form.needs), form.answer_within, frozenset(form.districts))
        for agency in file.agency
        for form in agency.program
    ]


def _book(file: BookFile) -> RoutingBook:
    return RoutingBook(
        Rule(form.id, form.candidates, form.service, form.need, form.district, form.fallback) for form in file.rule
    )
