"""A city as it would be with other files: read from texts, and refused with file, line and reason of every mistake."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel

from services.routing.domain.city import RoutingCity
from services.routing.jurisdiction.agreements.checking import find_errors
from services.routing.jurisdiction.agreements.findings import Finding, Severity
from services.routing.jurisdiction.agreements.lines import Path as Place
from services.routing.jurisdiction.agreements.lines import lines_of, nearest
from services.routing.jurisdiction.agreements.reading import SUBFOLDER, parse_toml, read_agreements, read_texts
from services.routing.jurisdiction.agreements.surroundings import surroundings_of
from services.routing.jurisdiction.checks import contradictions
from services.routing.jurisdiction.forms import AgenciesFile, BookFile, DistrictsFile, NeedsFile, ServicesFile
from services.routing.jurisdiction.loading import make_city
from services.routing.jurisdiction.reading import Folder, read_folder
from shared.policy.agreements import Agreement

Texts = Mapping[str, str]
"""Texts of files, by their names in a jurisdiction's folder: `routing-book.toml`, `agreements/shelter-beds.toml`."""

FILES: Final[Mapping[str, tuple[str, type[BaseModel]]]] = {
    "agencies.toml": ("agencies", AgenciesFile),
    "routing-book.toml": ("book", BookFile),
    "services.toml": ("services", ServicesFile),
    "districts.toml": ("districts", DistrictsFile),
    "needs.toml": ("needs", NeedsFile),
}
"""The files beside the agreements, what each is to routing, and its form."""

_CONTRADICTION: Final = re.compile(r"(?P<file>[a-z-]+\.toml): (?P<kind>rule|program|agency) (?P<name>[^:\s]+)[:\s]")


@dataclass(frozen=True, slots=True)
class Changed:
    """The city with other files, and the agreements as they say; nothing that was wrong in them is in here."""

    city: RoutingCity
    agreements: tuple[Agreement, ...]


class ChangeError(Exception):
    """The files cannot be used."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("; ".join(map(str, self.findings)))


def read_changed(jurisdiction: Path, texts: Texts, keys: Collection[str] = ()) -> Changed:
    """Read a jurisdiction's folder with these files instead of its own.

    Where an agreement is among them, they are all the agreements that there are: one that is missing is gone.

    Raises:
        ChangeError: something is wrong in them.
        JurisdictionError: something is wrong in the folder itself.
    """
    folder, wrong = _overlaid(read_folder(jurisdiction), texts)
    signed = {name: text for name, text in texts.items() if name.startswith(f"{SUBFOLDER}/")}
    wrong += [
        Finding(name, 1, Severity.ERROR, "is not read here") for name in texts.keys() - signed.keys() - FILES.keys()
    ]
    if wrong:
        raise ChangeError(wrong)
    reading = read_texts(signed) if signed else read_agreements(jurisdiction / SUBFOLDER)
    wrong += [_located(each, texts) for each in contradictions(folder)]
    wrong += find_errors(reading, surroundings_of(folder))
    if wrong:
        raise ChangeError(wrong)
    agreements = tuple(file.agreement for file in reading.files)
    return Changed(make_city(folder, agreements, keys), agreements)


def _overlaid(folder: Folder, texts: Texts) -> tuple[Folder, list[Finding]]:
    wrong: list[Finding] = []
    for name in sorted(texts.keys() & FILES.keys()):
        part, form = FILES[name]
        parsed = parse_toml(name, texts[name], form)
        if isinstance(parsed, list):
            wrong += parsed
        else:
            folder = replace(folder, **{part: cast("Any", parsed[0])})
    return folder, wrong


def _located(contradiction: str, texts: Texts) -> Finding:
    """Return where a contradiction between files is, as far as it is in one of these texts."""
    found = _CONTRADICTION.match(contradiction)
    if found is None:
        return Finding("routing-book.toml", 1, Severity.ERROR, contradiction)
    file, text = found["file"], texts.get(found["file"], "")
    line = nearest(lines_of(text), _place_of(found["kind"], found["name"], tomllib.loads(text)))
    return Finding(file, line, Severity.ERROR, contradiction.removeprefix(f"{file}: "))


def _place_of(kind: str, name: str, said: dict[str, Any]) -> Place:
    """Return the last place where a rule, a program or an agency of this name is."""
    if kind == "rule":
        return next((("rule", n) for n, each in _backwards(said.get("rule", [])) if each["id"] == name), ())
    agency, _, program = name.partition("/")
    for number, each in _backwards(said.get("agency", [])):
        if each["id"] == agency:
            inner = (("agency", number, "program", n) for n, one in _backwards(each["program"]) if one["id"] == program)
            return next(inner, ("agency", number))
    return ()


def _backwards(tables: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    return [*enumerate(tables)][::-1]
