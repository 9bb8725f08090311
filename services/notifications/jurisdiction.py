"""What mails say of the city: its own name and address, the names of its agencies and services."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.events.fields import FieldGroup
from shared.policy.protection import ProtectionRules, protection_rules


@dataclass(frozen=True, slots=True)
class Service:
    """A service as residents know it, and the field group that protects its reports, if any."""

    code: str
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
    protection: ProtectionRules


def read_jurisdiction(folder: Path) -> Jurisdiction:
    """Read the city's folder: city.toml, agencies.toml, services.toml and templates/."""
    city = _read(folder / "city.toml")
    agencies = _read(folder / "agencies.toml").get("agency", [])
    services = [_service(said) for said in _read(folder / "services.toml").get("service", [])]
    return Jurisdiction(
        name=city["name"],
        language=city["default_language"],
        contact_email=city["contact_email"],
        contact_phone=city["contact_phone"],
        privacy_contact=city.get("privacy_contact", city["contact_email"]),
        templates=folder / "templates",
        agencies={agency["id"]: agency["name"] for agency in agencies},
        services={service.code: service for service in services},
        protection=protection_rules(services),
    )


def _service(said: Mapping[str, Any]) -> Service:
    protects = said.get("protects")
    group = FieldGroup(protects) if protects else None
    return Service(said["code"], said["name"], group, frozenset(said.get("needs", ())))


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
