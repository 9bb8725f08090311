"""Who helps: the programs of the city's agencies (after HSDS)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Program:
    """One thing that an agency does for people; without `districts` it serves the whole city."""

    agency: str
    id: str
    needs: frozenset[str]
    answer_within: timedelta
    districts: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """How the routing book writes it: agency/program."""
        return f"{self.agency}/{self.id}"

    def serves(self, district: str | None) -> bool:
        """Tell whether it works in a district; a place that nobody knows is in none."""
        return not self.districts or district in self.districts


ProgramIndex = Mapping[str, Program]
"""Programs by their names."""
