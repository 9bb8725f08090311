"""What figures need to know of the city: its calendar, its smallest published cell, what things are called."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shared.events.fields import FieldGroup
from shared.policy.protection import ProtectionRules, protection_rules


@dataclass(frozen=True, slots=True)
class City:
    """One city; `names` are by dimension and key (`{"agency": {"hpd": "Housing Office"}}`)."""

    name: str
    zone: ZoneInfo
    minimum_cell: int
    names: Mapping[str, Mapping[str, str]]
    protection: ProtectionRules

    def call(self, dimension: str, key: str) -> str:
        """Return what people call this; its key where it has no name, as when it has left the folder since."""
        return self.names.get(dimension, {}).get(key, key or "Not known")


class _Listed(NamedTuple):
    """A service of the list, as far as protection depends on it."""

    code: str
    needs: tuple[str, ...]
    protects: FieldGroup | None


def _listed(said: Mapping[str, Any]) -> _Listed:
    protects = said.get("protects")
    return _Listed(said["code"], tuple(said.get("needs", ())), FieldGroup(protects) if protects else None)


def read_city(folder: Path) -> City:
    """Read a jurisdiction's folder."""
    city = _read(folder / "city.toml")
    agencies = _read(folder / "agencies.toml").get("agency", ())
    names = {
        "agency": {agency["id"]: agency["name"] for agency in agencies},
        "program": {f"{a['id']}/{p['id']}": p["name"] for a in agencies for p in a.get("program", ())},
        "need": {need["code"]: need["name"] for need in _read(folder / "needs.toml").get("need", ())},
        "district": {each["id"]: each["name"] for each in _read(folder / "districts.toml").get("district", ())},
    }
    protection = protection_rules(_listed(said) for said in _read(folder / "services.toml").get("service", ()))
    return City(city["name"], ZoneInfo(city["time_zone"]), int(city.get("minimum_cell", 11)), names, protection)


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
