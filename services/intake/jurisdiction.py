"""Reads a jurisdiction's folder: city, services, needs, districts, agreements, and the names of its agencies."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.intake.domain.catalogue import Catalogue, NeedsFile, ServicesFile
from services.intake.domain.city import City, Districts, DistrictsFile, Jurisdiction
from services.intake.domain.consent_options import ConsentCatalogue
from shared.policy.agreements import Agreement

FILES = ("city.toml", "services.toml", "needs.toml", "districts.toml", "agencies.toml")


class JurisdictionError(Exception):
    """The folder contradicts itself; the text says where."""


def load_jurisdiction(folder: Path) -> Jurisdiction:
    """Read the folder once, at the start.

    Raises:
        JurisdictionError: a service has a need that needs.toml does not list.
        pydantic.ValidationError: a file is not as its head says.
    """
    city, services, needs, districts, agencies = (_read(folder / name) for name in FILES)
    catalogue = Catalogue(ServicesFile.model_validate(services).service, NeedsFile.model_validate(needs).need)
    _check_needs(catalogue)
    return Jurisdiction(
        city=City.model_validate(city),
        catalogue=catalogue,
        districts=Districts(DistrictsFile.model_validate(districts)),
        agencies={agency["id"]: agency["name"] for agency in agencies.get("agency", ())},
        translations=_read_translations(folder / "texts"),
        changed=_last_change(folder),
        sharing=ConsentCatalogue(_read_agreements(folder / "agreements")),
    )


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def _read_agreements(folder: Path) -> list[Agreement]:
    return [Agreement.model_validate(_read(path)) for path in sorted(folder.glob("*.toml"))]


def _read_translations(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}


def _check_needs(catalogue: Catalogue) -> None:
    for service in catalogue:
        strangers = [need for need in service.needs if need not in catalogue.needs]
        if strangers:
            raise JurisdictionError(f"service {service.code} has needs that needs.toml does not list: {strangers}")


def _last_change(folder: Path) -> str:
    latest = max((folder / name).stat().st_mtime for name in FILES[:3])
    return datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%d %H:%M")
