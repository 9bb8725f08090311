"""What intake knows of its city: the service list, the districts, and what people can consent to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import h3

from services.intake.domain.consent_options import ConsentCatalogue, ConsentOption
from shared.city.city import City, CityProfile, District
from shared.city.service_list import NeedKind, ServiceKind
from shared.events.fields import FieldGroup
from shared.events.intake import Place
from shared.policy.agreements import Agreement
from shared.policy.protection import protection_rules


class Catalogue:
    """Every service and every need, by code, and what protects reports: a protected one is never shown in public."""

    def __init__(self, services: Iterable[ServiceKind], needs: Iterable[NeedKind]) -> None:
        self.services = {service.code: service for service in services}
        self.needs = {need.code: need for need in needs}
        self.protection = protection_rules(self.services.values())

    def __iter__(self) -> Iterator[ServiceKind]:
        """Yield the services in the order of services.toml."""
        return iter(self.services.values())

    def groups(self) -> dict[str, list[ServiceKind]]:
        """Return the services under their headings."""
        headings: dict[str, list[ServiceKind]] = {}
        for service in self:
            headings.setdefault(service.group, []).append(service)
        return headings


class Districts:
    """Finds the district of a place, by its cell or by a name; `resolution` is the H3 resolution of cells."""

    def __init__(self, districts: Iterable[District], resolution: int) -> None:
        districts = tuple(districts)
        self.resolution = resolution
        self.names = {district.id: district.name for district in districts}
        self._by_cell = {
            cell: Place(cell=cell, district=district.id) for district in districts for cell in district.cells
        }
        self._by_name = {
            name.casefold(): district.id
            for district in districts
            for name in (district.id, district.name, *district.mapped_from)
        }

    def named(self, name: str) -> str | None:
        """Return the district with this name or alias, in any case of letters."""
        return self._by_name.get(name.strip().casefold())

    def at(self, lat: float, long: float) -> Place:
        """Return the cell and the district of a point; a point outside the city has a cell and no district."""
        cell = h3.latlng_to_cell(lat, long, self.resolution)
        return self._by_cell.get(cell) or Place(cell=cell)

    def within(self, address: str) -> str | None:
        """Return the district that a part of an address names, the most specific part first."""
        return next((found for part in address.split(",") if (found := self.named(part))), None)


@dataclass(frozen=True, slots=True)
class IntakeCity:
    """The city as intake uses it. `changed` is when its files last changed, for Open311's service discovery."""

    profile: CityProfile
    catalogue: Catalogue
    districts: Districts
    agencies: Mapping[str, str]
    translations: Mapping[str, Mapping[str, Any]]
    changed: str
    consent_catalogue: ConsentCatalogue = field(default_factory=ConsentCatalogue)

    def consent_options(self, service_code: str, needs: tuple[str, ...], at: datetime) -> tuple[ConsentOption, ...]:
        """Return what the person of such a report can consent to; nothing for an unknown service."""
        if service_code not in self.catalogue.services:
            return ()
        return self.consent_catalogue.options(service_code, needs, self.protections_of(service_code, needs), at)

    def protections_of(self, service_code: str, needs: Iterable[str]) -> tuple[FieldGroup, ...]:
        """Return the groups that protect such a report, the strictest first."""
        return self.catalogue.protection.protections_of(service_code, needs)

    def agency_name(self, agency: str) -> str:
        """Return what people call an agency; the id of one that the city does not list."""
        return self.agencies.get(agency, agency)


def intake_city(
    city: City, agreements: Iterable[Agreement], translations: Mapping[str, Mapping[str, Any]], changed: datetime
) -> IntakeCity:
    """Return a city as intake uses it; `changed` is when its files last changed, in UTC."""
    return IntakeCity(
        profile=city.profile,
        catalogue=Catalogue(city.services.values(), city.needs.values()),
        districts=Districts(city.districts.values(), city.cell_resolution),
        agencies={agency.id: agency.name for agency in city.agencies.values()},
        translations=translations,
        changed=changed.strftime("%Y-%m-%d %H:%M"),
        consent_catalogue=ConsentCatalogue(agreements),
    )


def centre_of(cell: str | None) -> tuple[float, float] | tuple[None, None]:
    """Return the centre of a cell as latitude and longitude, to four decimals: all that the public sees."""
    if cell is None:
        return None, None
    lat, long = h3.cell_to_latlng(cell)
    return round(lat, 4), round(long, 4)
