"""The topics that `topics.toml` declares, with an inbox and an updates topic for every agency."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from shared.city.reader import read_agencies

_DECLARATIONS = Path(__file__).with_name("topics.toml")
_PLACEHOLDER = "{agency}"
_MS_A_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Topic:
    """One topic: partitions, retention, the owner who writes it, and its readers."""

    name: str
    partitions: int
    retention_days: int
    owner: str
    readers: tuple[str, ...]

    @property
    def settings(self) -> dict[str, str]:
        """The topic's configuration in Kafka."""
        return {"retention.ms": str(self.retention_days * _MS_A_DAY), "cleanup.policy": "delete"}

    def of(self, agency: str) -> "Topic":
        """Return the topic with an agency's id in place of `{agency}`."""
        return replace(
            self,
            name=self.name.replace(_PLACEHOLDER, agency),
            owner=self.owner.replace(_PLACEHOLDER, agency),
            readers=tuple(reader.replace(_PLACEHOLDER, agency) for reader in self.readers),
        )


def declared_topics(agencies: Iterable[str]) -> list[Topic]:
    """Return every topic of a city with these agencies."""
    ids = list(agencies)
    return [topic for declaration in _declarations() for topic in _expand(declaration, ids)]


def agencies_of(jurisdiction: Path) -> list[str]:
    """Return the ids of a city's agencies, in the order of `agencies.toml`.

    Raises:
        CityError: agencies.toml is missing or has errors.
    """
    return [agency.id for agency in read_agencies(jurisdiction).agency]


def _declarations() -> Iterator[Topic]:
    for entry in tomllib.loads(_DECLARATIONS.read_text(encoding="utf-8"))["topic"]:
        yield Topic(**{**entry, "readers": tuple(entry["readers"])})


def _expand(declaration: Topic, agencies: list[str]) -> list[Topic]:
    if _PLACEHOLDER not in declaration.name:
        return [declaration]
    return [declaration.of(agency) for agency in agencies]
