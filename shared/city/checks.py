"""Errors between the files of a city: what is listed twice, and what one file names and another lacks."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.city.city import AgenciesFile, CityProfile, DistrictsFile, ProgramEntry
from shared.city.routing_rules import RulesFile
from shared.city.service_list import NeedsFile, ServicesFile
from shared.city.toml_files import Finding, TomlFile
from shared.city.toml_lines import TomlPath


@dataclass(frozen=True, slots=True)
class CityFiles:
    """The parsed files of a city's folder, apart from agreements."""

    profile: TomlFile[CityProfile]
    services: TomlFile[ServicesFile]
    needs: TomlFile[NeedsFile]
    districts: TomlFile[DistrictsFile]
    agencies: TomlFile[AgenciesFile]
    rules: TomlFile[RulesFile]


@dataclass(frozen=True, slots=True)
class _Known:
    """What may be named, by kind."""

    needs: Collection[str]
    districts: Collection[str]
    services: Collection[str]
    programs: Mapping[str, tuple[TomlPath, ProgramEntry]]


def contradictions(files: CityFiles) -> Iterator[Finding]:
    """Yield what is listed twice, and what is named in one file and missing in another."""
    known = _Known(
        needs={need.code for need in files.needs.content.need},
        districts={district.id for district in files.districts.content.district},
        services={service.code for service in files.services.content.service},
        programs={name: (path, program) for name, path, program in _programs(files.agencies.content)},
    )
    yield from _all_repeats(files)
    yield from _unknown_in_services(files.services, known)
    yield from _unknown_in_programs(files.agencies, known)
    yield from _unknown_in_rules(files.rules, known)
    yield from _unsuitable_candidates(files.rules, known)


def _programs(agencies: AgenciesFile) -> Iterator[tuple[str, TomlPath, ProgramEntry]]:
    for number, agency in enumerate(agencies.agency):
        for place, program in enumerate(agency.program):
            yield f"{agency.id}/{program.id}", ("agency", number, "program", place), program


def _all_repeats(files: CityFiles) -> Iterator[Finding]:
    services, needs, districts = files.services.content, files.needs.content, files.districts.content
    agencies, rules = files.agencies.content, files.rules.content
    yield from _repeats(files.services, "service", _at("service", (each.code for each in services.service)))
    yield from _repeats(files.needs, "need", _at("need", (each.code for each in needs.need)))
    yield from _repeats(files.districts, "district", _at("district", (each.id for each in districts.district)))
    yield from _repeats(files.agencies, "agency", _at("agency", (each.id for each in agencies.agency)))
    yield from _repeats(files.agencies, "program", ((name, path) for name, path, _ in _programs(agencies)))
    yield from _repeats(files.rules, "rule", _at("rule", (each.id for each in rules.rule)))


def _at(table: str, names: Iterable[str]) -> Iterator[tuple[str, TomlPath]]:
    return ((name, (table, number)) for number, name in enumerate(names))


def _repeats(file: TomlFile[Any], kind: str, named: Iterable[tuple[str, TomlPath]]) -> Iterator[Finding]:
    """Report each name that is listed more than once, at its last place."""
    places: dict[str, list[TomlPath]] = {}
    for name, path in named:
        places.setdefault(name, []).append(path)
    for name, paths in places.items():
        if len(paths) > 1:
            yield file.error(f"{kind} {name} is there twice", *paths[-1])


def _unknown_in_services(file: TomlFile[ServicesFile], known: _Known) -> Iterator[Finding]:
    for number, service in enumerate(file.content.service):
        for missing in _missing("need", service.needs, known.needs):
            yield file.error(f"service {service.code}: {missing}", "service", number)


def _unknown_in_programs(file: TomlFile[AgenciesFile], known: _Known) -> Iterator[Finding]:
    for name, path, program in _programs(file.content):
        for missing in (
            *_missing("need", program.needs, known.needs),
            *_missing("district", program.districts, known.districts),
        ):
            yield file.error(f"program {name}: {missing}", *path)


def _unknown_in_rules(file: TomlFile[RulesFile], known: _Known) -> Iterator[Finding]:
    for number, rule in enumerate(file.content.rule):
        for missing in (
            *_missing("service", [rule.service], known.services),
            *_missing("need", [rule.need], known.needs),
            *_missing("district", [rule.district], known.districts),
            *_missing("program", rule.programs, known.programs),
        ):
            yield file.error(f"rule {rule.id}: {missing}", "rule", number)


def _unsuitable_candidates(file: TomlFile[RulesFile], known: _Known) -> Iterator[Finding]:
    """Report rules that ask a program for help with a need that it does not offer."""
    for number, rule in enumerate(file.content.rule):
        for name in rule.programs:
            _, program = known.programs.get(name, ((), None))
            if program is not None and rule.need is not None and rule.need not in program.needs:
                yield file.error(f"rule {rule.id}: {name} does not help with {rule.need}", "rule", number)


def _missing(kind: str, names: Iterable[str | None], known: Collection[str]) -> Iterator[str]:
    return (f"there is no {kind} {name}" for name in names if name is not None and name not in known)
