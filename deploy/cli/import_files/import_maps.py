"""The import maps of a jurisdiction: they map a row of another city's file to a service of this jurisdiction."""

import re
import tomllib
from collections.abc import Mapping
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


class Patterns:
    """Patterns with `*` as the wildcard, each with a value; the first pattern that matches decides."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Compile the patterns; they ignore the case of letters."""
        self._patterns = [(re.compile(translate(text.casefold())), value) for text, value in values.items()]
        self.find = lru_cache(maxsize=4096)(self._find)

    def _find(self, text: str) -> str | None:
        folded = text.casefold()
        return next((value for pattern, value in self._patterns if pattern.match(folded)), None)


class ImportMap:
    """The common part of import maps: time zone, default service, and names of channels."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a parsed import map."""
        self.zone = ZoneInfo(document["time_zone"])
        self.default: str = document["default"]
        self._channels = Patterns(document.get("channels", {}))

    def channel(self, text: str) -> str:
        """Return the channel for the source's name of it."""
        return self._channels.find(text) or "other"


class AgencyMap(ImportMap):
    """A map by agency first, then by the kind of complaint (New York)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a parsed import map."""
        super().__init__(document)
        agencies = document["agency"].items()
        self._agencies = {
            name.casefold(): (Patterns(entry.get("types", {})), entry["general"]) for name, entry in agencies
        }

    def find(self, agency: str, kind: str) -> str | None:
        """Return the service; for an unknown kind the agency's general service, for an unknown agency None."""
        entry = self._agencies.get(agency.casefold())
        if entry is None:
            return None
        patterns, general = entry
        return patterns.find(kind) or general


class ServiceMap(ImportMap):
    """A map by the name of the service first, then by the agency (Chicago)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a parsed import map."""
        super().__init__(document)
        self._services = Patterns(document["services"])
        self._agencies = Patterns(document["agencies"])

    def find(self, agency: str, kind: str) -> str | None:
        """Return the service by its name, else by the agency; None if both are unknown."""
        return self._services.find(kind) or self._agencies.find(agency)


def read_import_map(jurisdiction: Path, source: str) -> dict[str, Any]:
    """Read the import map of a source from a jurisdiction's folder."""
    return tomllib.loads((jurisdiction / "imports" / f"{source}.toml").read_text(encoding="utf-8"))
