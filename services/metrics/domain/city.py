"""What metrics knows of its city: its calendar, its smallest published count, and the names of things."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from shared.city.city import City
from shared.policy.protection import ProtectionRules


@dataclass(frozen=True, slots=True)
class MetricsCity:
    """The city as metrics uses it. `names` are by dimension and key: `{"agency": {"hpd": "Housing Office"}}`."""

    name: str
    zone: ZoneInfo
    minimum_cell: int
    names: Mapping[str, Mapping[str, str]]
    protection: ProtectionRules

    def label(self, dimension: str, key: str) -> str:
        """Return the name that people know; the key itself if the city's folder no longer lists it."""
        return self.names.get(dimension, {}).get(key, key or "Not known")


def metrics_city(city: City) -> MetricsCity:
    """Return a city as metrics uses it."""
    return MetricsCity(
        name=city.profile.name,
        zone=city.profile.zone,
        minimum_cell=city.profile.minimum_cell,
        names={
            "agency": {agency.id: agency.name for agency in city.agencies.values()},
            "program": {program.name: program.title for program in city.programs.values()},
            "need": {need.code: need.name for need in city.needs.values()},
            "district": {district.id: district.name for district in city.districts.values()},
        },
        protection=city.protection,
    )
