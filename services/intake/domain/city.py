"""The city: its name, languages and districts, and what its agencies are called."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import h3

from services.intake.domain.catalogue import Catalogue, Part
from services.intake.domain.consent_options import ConsentCatalogue, ConsentOption
from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Place


class City(Part):
    """What city.toml says."""

    jurisdiction_id: str
    name: str
    time_zone: str
    default_language: str = "en"
    languages: tuple[str, ...] = ("en",)
    minimum_cell: int = 11
    location_resolution: int = 8
    contact_email: str
    contact_phone: str
    website: str
    privacy_contact: str | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of all local times."""
        return ZoneInfo(self.time_zone)


class District(Part):
    """One district: its names, and the H3 cells that lie in it."""

    id: Slug
    name: str
    mapped_from: tuple[str, ...] = ()
    outline: tuple[tuple[float, float], ...] = ()
    cells: frozenset[str] = frozenset()


class DistrictsFile(Part):
    """What districts.toml says."""

    resolution: int
    district: tuple[District, ...] = ()


class Districts:
    """Finds the district of a place, by its cell or by a name."""

    def __init__(self, file: DistrictsFile) -> None:
        self.resolution = file.resolution
        self.names = {district.id: district.name for district in file.district}
        self._by_cell = {
            cell: Place(cell=cell, district=district.id) for district in file.district for cell in district.cells
        }
        self._by_name = {
            name.casefold(): district.id
            for district in file.district
            for name in (district.id, district.name, *district.mapped_from)
        }

    def named(self, name: str) -> str | None:
        """Return the district of that name or alias, in any case of letters."""
        return self._by_name.get(name.strip().casefold())

    def at(self, lat: float, long: float) -> Place:
        """Return roughly where a point is; a point outside the city has a cell and no district."""
        cell = h3.latlng_to_cell(lat, long, self.resolution)
        return self._by_cell.get(cell) or Place(cell=cell)

    def within(self, address: str) -> str | None:
        """Return the district that a part of an address names, the most specific part first."""
        return next((found for part in address.split(",") if (found := self.named(part))), None)


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Everything that intake knows of the city it serves; `changed` is when its files last changed, for discovery."""

    city: City
    catalogue: Catalogue
    districts: Districts
    agencies: dict[str, str]
    translations: dict[str, dict[str, Any]]
    changed: str
    sharing: ConsentCatalogue = field(default_factory=ConsentCatalogue)

    def offers(self, service_code: str, needs: tuple[str, ...], at: datetime) -> tuple[ConsentOption, ...]:
        """Return what whoever files such a report can consent to; nothing for a service that is there no more."""
        if service_code not in self.catalogue.services:
            return ()
        return self.sharing.offers((service_code, needs), self.protections_of(service_code, needs), at)

    def protections_of(self, service_code: str, needs: Iterable[str]) -> tuple[FieldGroup, ...]:
        """Return the groups that protect such a report, the strictest first."""
        return self.catalogue.protection.protections_of(service_code, needs)

    def agency_name(self, agency: str) -> str:
        """Return what people call an agency; its id where nobody has named it."""
        return self.agencies.get(agency, agency)


def centre_of(cell: str | None) -> tuple[float, float] | tuple[None, None]:
    """Return the centre of a cell as latitude and longitude, to four decimals: all that the public sees."""
    if cell is None:
        return None, None
    lat, long = h3.cell_to_latlng(cell)
    return round(lat, 4), round(long, 4)
