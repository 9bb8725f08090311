"""Makes of the files what decisions are made with."""

from collections.abc import Collection, Iterable
from pathlib import Path

from services.routing.domain.city import Program, RoutingCity
from services.routing.domain.rules import RoutingRules, Rule
from services.routing.jurisdiction.agreements import load_agreements
from services.routing.jurisdiction.checks import contradictions
from services.routing.jurisdiction.forms import AgenciesFile, BookFile
from services.routing.jurisdiction.reading import Folder, JurisdictionError, read_folder
from shared.policy.agreements import Agreement
from shared.policy.decision import DisclosurePolicy
from shared.policy.protection import protection_rules


def load_city(path: Path, keys: Collection[str] = ()) -> RoutingCity:
    """Read the agencies, the routing book, the agreements and the service list of a jurisdiction.

    `keys` names the agencies that have a public key.

    Raises:
        JurisdictionError: a file cannot be used, or the files contradict one another.
    """
    folder = read_folder(path)
    wrong = list(contradictions(folder))
    if wrong:
        raise JurisdictionError("\n  ".join([f"{path} cannot be used:", *wrong]))
    return make_city(folder, load_agreements(path), keys)


def make_city(folder: Folder, agreements: Iterable[Agreement], keys: Collection[str] = ()) -> RoutingCity:
    """Make of what the files say what decisions are made with."""
    return RoutingCity(
        programs={program.name: program for program in _programs(folder.agencies)},
        rules=_book(folder.book),
        policy=DisclosurePolicy(agreements, keys, services=[service.code for service in folder.services.service]),
        protection=protection_rules(folder.services.service),
    )


def read_agencies(path: Path) -> frozenset[str]:
    """Read the ids of the agencies of a jurisdiction.

    Raises:
        JurisdictionError: a file cannot be used.
    """
    return frozenset(agency.id for agency in read_folder(path).agencies.agency)


def _programs(file: AgenciesFile) -> list[Program]:
    return [
        Program(agency.id, form.id, frozenset(form.needs), form.answer_within, frozenset(form.districts))
        for agency in file.agency
        for form in agency.program
    ]


def _book(file: BookFile) -> RoutingRules:
    return RoutingRules(
        Rule(form.id, form.candidates, form.service, form.need, form.district, form.fallback) for form in file.rule
    )
