"""Runs a what-if run: reads changed files into a city of their own, and reports what would differ in past cases."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.routing.domain.city import RoutingCity, routing_city
from services.routing.domain.what_if import CityComparison, start_early
from services.routing.use_cases.what_if import ReportLine, compare_past_cases
from shared.city.reader import ChangedFilesError, read_changed
from shared.city.toml_files import CityError
from shared.kit.database.database import TRANSIENT_ERRORS, Database

log = logging.getLogger(__name__)


class WhatIfRequest(BaseModel):
    """The changed files, by their names in the jurisdiction folder, and the time since which cases were routed."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    files: dict[str, str] = Field(min_length=1, max_length=10_000)


class RejectedRun(NamedTuple):
    """Why a run does not start.

    `findings` name a file, a line and what is wrong there. `is_conflict`: the same request can succeed later.
    """

    error: str
    findings: tuple[ReportLine, ...] = ()
    is_conflict: bool = False


class PreparedRun(NamedTuple):
    """A run that can start; its report begins with `notes`."""

    comparison: CityComparison
    since: datetime
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhatIfRunner:
    """Runs what-if runs, one at a time, on the past cases of a city whose files are in the folder `jurisdiction`."""

    city: RoutingCity
    jurisdiction: Path
    database: Database
    running: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def prepare(self, request: WhatIfRequest) -> PreparedRun | RejectedRun:
        """Read the changed files, or say why the run does not start."""
        if self.running.locked():
            return RejectedRun("another what-if run is in progress: try again when it has ended", is_conflict=True)
        return await asyncio.to_thread(self._read, request)

    async def report(self, prepared: PreparedRun) -> AsyncIterator[ReportLine]:
        """Yield the report line by line; if the database becomes unavailable, the last line says so."""
        async with self.running:
            for note in prepared.notes:
                yield {"kind": "note", "says": note}
            try:
                async for line in compare_past_cases(self.database, prepared.comparison, prepared.since):
                    yield line
            except TRANSIENT_ERRORS as error:
                log.warning("what-if run stopped: %s", type(error).__name__)
                yield {"kind": "failed", "error": "the database is unavailable: try again"}

    def _read(self, request: WhatIfRequest) -> PreparedRun | RejectedRun:
        city = self.city
        try:
            changed = read_changed(self.jurisdiction, request.files)
        except ChangedFilesError as error:
            findings = tuple({"file": each.file, "line": each.line, "reason": each.reason} for each in error.findings)
            return RejectedRun("the files cannot be used", findings)
        except CityError as error:
            return RejectedRun(str(error), is_conflict=True)
        agreements, moved = start_early(
            [file.content for file in changed.agreements], city.policy.agreements, request.since
        )
        # both get caches of their own: those of the city in force serve the cases of now
        before = replace(city, policy=city.policy.under(city.policy.agreements))
        after = routing_city(changed.city, agreements, city.policy.keys)
        notes = tuple(f"{each.id} begins on {each.starts}: the run treats it as begun before." for each in moved)
        return PreparedRun(CityComparison(before, after), request.since, notes)
