"""What mails say of the city: its own name and address, the names of its agencies and services."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.events.fields import FieldGroup


@dataclass(frozen=True, slots=True)
class Service:
    """A service as residents know it, and the field group with stricter rules that it touches, if any."""

    name: str
    protects: FieldGroup | None
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """The city, as far as mails need it."""

    name: str
    language: str
    contact_email: str
    contact_phone: str
    privacy_contact: str
    templates: Path
    agencies: Mapping[str, str]
    services: Mapping[str, Service]

    def protects(self, service_code: str) -> FieldGroup | None:
        """Return what the service protects.

        A service that is not in the list (any more) may have protected anything: it is treated as the strictest.
        """
        service = self.services.get(service_code)
        return service.protects if service else FieldGroup.VICTIM_SERVICES

    def protects_needs(self, needs: Iterable[str]) -> FieldGroup | None:
        """Return what these needs protect by themselves: a need does that only protected services name."""
        found: FieldGroup | None = None
        for need in needs:
            named = [service.protects for service in self.services.values() if need in service.needs]
            for protects in named if all(named) else ():
                found = stricter(found, protects)
        return found


def stricter(one: FieldGroup | None, other: FieldGroup | None) -> FieldGroup | None:
    """Return whichever protects more."""
    return other if one is None or other is FieldGroup.VICTIM_SERVICES else one


def read_jurisdiction(folder: Path) -> Jurisdiction:
    """Read the city's folder: city.toml, agencies.toml, services.toml and templates/."""
    city = _read(folder / "city.toml")
    agencies = _read(folder / "agencies.toml").get("agency", [])
    services = _read(folder / "services.toml").get("service", [])
    return Jurisdiction(
        name=city["name"],
        language=city["default_language"],
        contact_email=city["contact_email"],
        contact_phone=city["contact_phone"],
        privacy_contact=city.get("privacy_contact", city["contact_email"]),
        templates=folder / "templates",
        agencies={agency["id"]: agency["name"] for agency in agencies},
        services={service["code"]: _service(service) for service in services},
    )


def _service(said: Mapping[str, Any]) -> Service:
    protects = said.get("protects")
    return Service(said["name"], FieldGroup(protects) if protects else None, frozenset(said.get("needs", ())))


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
