"""Holds the files of a jurisdiction against one another."""

from collections import Counter
from collections.abc import Iterable, Iterator

from services.routing.jurisdiction.forms import ProgramForm, RuleForm
from services.routing.jurisdiction.reading import Folder


def contradictions(folder: Folder) -> Iterator[str]:
    """Say what is named twice, and what is named in one file and missing in another."""
    yield from _repeats("agencies.toml: agency", (agency.id for agency in folder.agencies.agency))
    yield from _repeats("agencies.toml: program", (name for name, _ in folder.agencies.programs()))
    yield from _repeats("routing-book.toml: rule", (rule.id for rule in folder.book.rule))
    yield from _strangers_in_programs(folder)
    yield from _strangers_in_rules(folder)
    yield from _unable_candidates(folder)


def _repeats(where: str, names: Iterable[str]) -> Iterator[str]:
    yield from (f"{where} {name} is there twice" for name, times in Counter(names).items() if times > 1)


def _missing(where: str, kind: str, names: Iterable[str | None], known: Iterable[str]) -> Iterator[str]:
    yield from (f"{where}: there is no {kind} {name}" for name in names if name is not None and name not in known)


def _strangers_in_programs(folder: Folder) -> Iterator[str]:
    needs = {need.code for need in folder.needs.need}
    districts = {district.id for district in folder.districts.district}
    for name, program in folder.agencies.programs():
        where = f"agencies.toml: program {name}"
        yield from _missing(where, "need", program.needs, needs)
        yield from _missing(where, "district", program.districts, districts)


def _strangers_in_rules(folder: Folder) -> Iterator[str]:
    needs = {need.code for need in folder.needs.need}
    districts = {district.id for district in folder.districts.district}
    services = {service.code for service in folder.services.service}
    programs = dict(folder.agencies.programs())
    for rule in folder.book.rule:
        where = f"routing-book.toml: rule {rule.id}"
        yield from _missing(where, "service", [rule.service], services)
        yield from _missing(where, "need", [rule.need], needs)
        yield from _missing(where, "district", [rule.district], districts)
        yield from _missing(where, "program", _asked(rule), programs)


def _unable_candidates(folder: Folder) -> Iterator[str]:
    """Find rules that would ask a program for help that it does not offer."""
    programs = dict(folder.agencies.programs())
    for rule in folder.book.rule:
        for name in _asked(rule):
            program = programs.get(name)
            if program is not None and not _offers(program, rule.need):
                yield f"routing-book.toml: rule {rule.id}: {name} does not help with {rule.need}"


def _asked(rule: RuleForm) -> list[str]:
    return [*rule.candidates, *([rule.fallback] if rule.fallback else [])]


def _offers(program: ProgramForm, need: str | None) -> bool:
    return need is None or need in program.needs
