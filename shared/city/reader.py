"""Reads a city's folder: the only module of this package that opens files, so that domains may use the others."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, RootModel

from shared.city.agreement_checks import check, errors_in
from shared.city.agreement_files import AgreementFile, AgreementFiles, parse_agreements
from shared.city.agreement_reach import surroundings_of
from shared.city.checks import CityFiles, contradictions
from shared.city.city import AgenciesFile, City, CityProfile, DistrictsFile
from shared.city.routing_rules import RoutingRules, RulesFile
from shared.city.service_list import NeedsFile, ServicesFile
from shared.city.toml_files import CityError, Finding, Severity, TomlFile, parse_toml

AGREEMENTS: Final = "agreements"
"""The subfolder with the agreements, one TOML file each."""

TEMPLATES: Final = "templates"
"""The subfolder with the templates of mails, which notifications reads."""

AGENCIES: Final = "agencies.toml"
"""The file with the agencies and their programs; every city's folder has it."""

RULES: Final = "routing-book.toml"
"""The file with the routing rules."""

_PROFILE: Final = "city.toml"
_SERVICES: Final = "services.toml"
_NEEDS: Final = "needs.toml"
_DISTRICTS: Final = "districts.toml"
_TRANSLATIONS: Final = "texts"

_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    _PROFILE: CityProfile,
    _SERVICES: ServicesFile,
    _NEEDS: NeedsFile,
    _DISTRICTS: DistrictsFile,
    AGENCIES: AgenciesFile,
    RULES: RulesFile,
}
"""The files beside the agreements, each with its model."""

REPLACEABLE: Final[Sequence[str]] = (RULES, AGENCIES, _SERVICES, _NEEDS, _DISTRICTS)
"""The files beside the agreements in whose place `read_changed` takes others."""

Texts = Mapping[str, str]
"""Texts by the names of their files in a city's folder: `routing-book.toml`, `agreements/shelter-beds.toml`."""


class Translation(RootModel[dict[str, Any]]):
    """One language's translation of what the city's files say, as nested tables."""


@dataclass(frozen=True, slots=True)
class ChangedCity:
    """A city and its agreements, with other files in the place of its own."""

    city: City
    agreements: tuple[AgreementFile, ...]


class ChangedFilesError(Exception):
    """The files that were to replace a city's own cannot be used; `findings` has every reason, in order."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("; ".join(map(str, self.findings)))


def read_city(folder: Path) -> City:
    """Read a city's folder, apart from agreements and translations.

    Raises:
        CityError: a file is missing or wrong, or the files contradict one another.
    """
    files = _parse(_read(folder / name for name in _MODELS))
    if wrong := list(contradictions(files)):
        raise CityError(wrong)
    return _city(files)


def read_agencies(folder: Path) -> AgenciesFile:
    """Read the agencies of a city, and none of its other files.

    Raises:
        CityError: agencies.toml is missing or wrong.
    """
    file = folder / AGENCIES
    parsed = parse_toml(str(file), _read([file])[file], AgenciesFile)
    if isinstance(parsed, TomlFile):
        return parsed.content
    raise CityError(parsed)


def read_agreements(folder: Path) -> AgreementFiles:
    """Read every `*.toml` of a folder of agreements; a folder that is missing has no agreements."""
    texts, errors = _try_to_read(sorted(folder.glob("*.toml")))
    parsed = parse_agreements({str(file): text for file, text in texts.items()})
    return AgreementFiles(parsed.files, (*errors, *parsed.errors))


def load_agreements(folder: Path, city: City) -> tuple[AgreementFile, ...]:
    """Read the agreements of a city's folder.

    Raises:
        CityError: one of them cannot be used.
    """
    agreements = read_agreements(folder / AGREEMENTS)
    if errors := errors_in(agreements, surroundings_of(city)):
        raise CityError(errors)
    return agreements.files


def check_agreements(
    folder: Path, today: date, agreements: Path | None = None, keys: Collection[str] | None = None
) -> tuple[AgreementFiles, list[Finding]]:
    """Read agreements; return them with every error and warning about them on a day, in the order of the files.

    `agreements` is their folder, where it is not the one in the city's folder. `keys` are the
    agencies that have a public key, where that is known.

    Raises:
        CityError: the city's other files cannot be used.
    """
    surroundings = surroundings_of(read_city(folder), keys)
    read = read_agreements(agreements or folder / AGREEMENTS)
    return read, check(read, surroundings, today)


def read_changed(folder: Path, texts: Texts) -> ChangedCity:
    """Read a city's folder with these texts in the place of its own files.

    Texts of agreements replace all agreements of the folder, not only those with the same names.

    Raises:
        ChangedFilesError: the texts cannot be used.
        CityError: the folder's own files cannot be used.
    """
    own = _read(folder / name for name in _MODELS)
    _parse(own)
    signed = {name: text for name, text in texts.items() if name.startswith(f"{AGREEMENTS}/")}
    replaced = {name: text for name, text in texts.items() if name in REPLACEABLE}
    files, wrong = _try_to_parse(
        {Path(file.name): text for file, text in own.items()} | {Path(name): text for name, text in replaced.items()}
    )
    strange = sorted(texts.keys() - signed.keys() - replaced.keys())
    wrong += [Finding(name, 1, Severity.ERROR, "is not read here") for name in strange]
    if files is None or wrong:
        raise ChangedFilesError(wrong)
    city = _city(files)
    agreements = parse_agreements(signed) if signed else read_agreements(folder / AGREEMENTS)
    if wrong := [*contradictions(files), *errors_in(agreements, surroundings_of(city))]:
        raise ChangedFilesError(wrong)
    return ChangedCity(city, agreements.files)


def read_translations(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the translations of what the city's files say, by language.

    Raises:
        CityError: a translation is not TOML.
    """
    texts = _read(sorted((folder / _TRANSLATIONS).glob("*.toml")))
    parsed = {file.stem: parse_toml(str(file), text, Translation) for file, text in texts.items()}
    if wrong := [finding for each in parsed.values() if isinstance(each, list) for finding in each]:
        raise CityError(wrong)
    return {language: each.content.root for language, each in parsed.items() if isinstance(each, TomlFile)}


def last_change(folder: Path) -> datetime:
    """Return when the city's profile, services or needs last changed, in UTC."""
    latest = max((folder / name).stat().st_mtime for name in (_PROFILE, _SERVICES, _NEEDS))
    return datetime.fromtimestamp(latest, UTC)


def _read(files: Iterable[Path]) -> dict[Path, str]:
    texts, errors = _try_to_read(files)
    if errors:
        raise CityError(errors)
    return texts


def _try_to_read(files: Iterable[Path]) -> tuple[dict[Path, str], list[Finding]]:
    texts: dict[Path, str] = {}
    errors: list[Finding] = []
    for file in files:
        try:
            texts[file] = file.read_text(encoding="utf-8")
        except OSError as error:
            errors.append(Finding(str(file), 1, Severity.ERROR, f"cannot be read: {error.strerror}"))
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            errors.append(Finding(str(file), line, Severity.ERROR, "not TOML: it is not UTF-8"))
    return texts, errors


def _parse(texts: Mapping[Path, str]) -> CityFiles:
    files, errors = _try_to_parse(texts)
    if files is None:
        raise CityError(errors)
    return files


def _try_to_parse(texts: Mapping[Path, str]) -> tuple[CityFiles | None, list[Finding]]:
    """Parse the files beside the agreements; findings name each file as its path is written."""
    parsed = {file.name: parse_toml(str(file), text, _MODELS[file.name]) for file, text in texts.items()}
    files: dict[str, TomlFile[Any]] = {name: each for name, each in parsed.items() if isinstance(each, TomlFile)}
    errors = [finding for each in parsed.values() if isinstance(each, list) for finding in each]
    if errors:
        return None, errors
    return CityFiles(
        profile=files[_PROFILE],
        services=files[_SERVICES],
        needs=files[_NEEDS],
        districts=files[_DISTRICTS],
        agencies=files[AGENCIES],
        rules=files[RULES],
    ), []


def _city(files: CityFiles) -> City:
    return City(
        profile=files.profile.content,
        services={service.code: service for service in files.services.content.service},
        needs={need.code: need for need in files.needs.content.need},
        districts={district.id: district for district in files.districts.content.district},
        cell_resolution=files.districts.content.resolution,
        agencies={agency.id: agency for agency in files.agencies.content.agency},
        rules=RoutingRules(files.rules.content.rule),
    )
