"""The city: its profile, districts, agencies and programs, and all files of its folder as one value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.city.routing_rules import RoutingRules
from shared.city.service_list import NeedKind, ServiceKind
from shared.city.toml_files import FilePart
from shared.events.event import Slug
from shared.policy.protection import ProtectionRules, protection_rules


class CityProfile(FilePart):
    """city.toml: name, languages, time zone and contacts of the city.

    `minimum_cell` is the smallest count that may be published. `location_resolution` is the H3
    resolution of the place that agencies see without being given the address. `privacy_contact` is
    the e-mail address of the privacy office, where it has one of its own.
    """

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

    @property
    def privacy_office(self) -> str:
        """The e-mail address at which the privacy office is reached."""
        return self.privacy_contact or self.contact_email


class District(FilePart):
    """One district: its names, its corners as (latitude, longitude), and the H3 cells inside."""

    id: Slug
    name: str
    mapped_from: tuple[str, ...] = ()
    outline: tuple[tuple[float, float], ...] = ()
    cells: frozenset[str] = frozenset()


class DistrictsFile(FilePart):
    """districts.toml; `resolution` is the H3 resolution of all cells."""

    resolution: int
    district: tuple[District, ...] = ()


class ProgramEntry(FilePart):
    """A program as agencies.toml lists it, below its agency."""

    id: Slug
    name: str
    needs: tuple[Slug, ...] = Field(min_length=1)
    answer_within: timedelta = Field(gt=timedelta())
    resolve_within: timedelta = Field(gt=timedelta())
    districts: tuple[Slug, ...] = ()


class Agency(FilePart):
    """An agency and its programs.

    `sample` is for the demonstration only: how the sample agency works that answers in its place.
    """

    id: Slug
    name: str
    kind: str = ""
    contact_email: str = ""
    sample: Mapping[str, str | float] | None = None
    program: tuple[ProgramEntry, ...] = Field(min_length=1)


class AgenciesFile(FilePart):
    """agencies.toml."""

    agency: tuple[Agency, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Program:
    """A service that an agency offers (HSDS: program); without `districts` it serves the whole city."""

    agency: str
    id: str
    needs: frozenset[str]
    answer_within: timedelta
    districts: frozenset[str] = frozenset()
    title: str = ""
    """What people call it."""

    @property
    def name(self) -> str:
        """The name by which routing rules ask for it: agency/program."""
        return f"{self.agency}/{self.id}"

    def serves(self, district: str | None) -> bool:
        """Tell whether it works in a district; a place in no known district is served only city-wide."""
        return not self.districts or district in self.districts


@dataclass(frozen=True)
class City:
    """What the files of a city's folder say, apart from agreements, translations and templates.

    Services, needs, districts and agencies are by code or id, in the order of their files.
    `cell_resolution` is the H3 resolution of the districts' cells.
    """

    profile: CityProfile
    services: Mapping[str, ServiceKind]
    needs: Mapping[str, NeedKind]
    districts: Mapping[str, District]
    cell_resolution: int
    agencies: Mapping[str, Agency]
    rules: RoutingRules

    @cached_property
    def programs(self) -> Mapping[str, Program]:
        """The programs of all agencies, by name (`agency/program`)."""
        return {program.name: program for agency in self.agencies.values() for program in programs_of(agency)}

    @cached_property
    def protection(self) -> ProtectionRules:
        """What protects reports in this city."""
        return protection_rules(self.services.values())


def programs_of(agency: Agency) -> Iterator[Program]:
    """Yield the programs of an agency."""
    for entry in agency.program:
        needs, districts = frozenset(entry.needs), frozenset(entry.districts)
        yield Program(agency.id, entry.id, needs, entry.answer_within, districts, entry.name)
