"""The import maps of a jurisdiction: which of its services a row of another system's file belongs to."""

import re
import tomllib
from collections.abc import Mapping
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo


class Patterns:
    """Texts with `*` for anything, each standing for a value; the first that fits decides."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Compile the texts; case of letters does not matter."""
        self._patterns = [(re.compile(translate(text.casefold())), value) for text, value in values.items()]
        self.find = lru_cache(maxsize=4096)(self._find)

    def _find(self, text: str) -> str | None:
        folded = text.casefold()
        return next((value for pattern, value in self._patterns if pattern.match(folded)), None)


class ImportMap:
    """What every import map has: a time zone, a default service, and the names of channels."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a parsed import map."""
        self.zone = ZoneInfo(document["time_zone"])
        self.default: str = document["default"]
        self._channels = Patterns(document.get("channels", {}))

    def channel(self, text: str) -> str:
        """Return the channel that the source's word stands for."""
        return self._channels.find(text) or "other"


class AgencyMap(ImportMap):
    """A map that goes by agency first, then by the kind of complaint (New York's)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a parsed import map."""
        super().__init__(document)
        agencies = document["agency"].items()
        self._agencies = {
            name.casefold(): (Patterns(entry.get("types", {})), entry["general"]) for name, entry in agencies
        }

    def find(self, agency: str, kind: str) -> str | None:
        """Find the service: an unknown kind is the agency's general one; None for an unknown agency."""
        entry = self._agencies.get(agency.casefold())
        if entry is None:
            return None
        patterns, general = entry
        return patterns.find(kind) or general


class ServiceMap(ImportMap):
    """A map that goes by the name of the service first, then by the agency (Chicago's)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Take a parsed import map."""
        super().__init__(document)
        self._services = Patterns(document["services"])
        self._agencies = Patterns(document["agencies"])

    def find(self, agency: str, kind: str) -> str | None:
        """Find the service by its name, else by the agency; None when neither is known."""
        return self._services.find(kind) or self._agencies.find(agency)


def load(jurisdiction: Path, source: str) -> dict[str, Any]:
    """Read the import map of a source from a jurisdiction's folder."""
    return tomllib.loads((jurisdiction / "imports" / f"{source}.toml").read_text(encoding="utf-8"))
