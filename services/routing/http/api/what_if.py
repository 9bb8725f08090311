"""What-if runs: past cases decided again under changed agreements or routing rules, as lines of JSON."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.routing.domain.city import RoutingCity, routing_city
from services.routing.domain.what_if import CityComparison, start_early
from services.routing.http.authentication import Staff, require_staff
from services.routing.use_cases.what_if import ReportLine, compare_past_cases
from shared.city.reader import AGREEMENTS, REPLACEABLE, ChangedFilesError, read_changed
from shared.city.toml_files import CityError
from shared.events.validation import first_error
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.kit.http.replies import reply

log = logging.getLogger(__name__)

HEADERS: Final = {"cache-control": "no-store", "content-type": "application/x-ndjson"}


class WhatIfRequest(BaseModel):
    """The changed files, by their names in the jurisdiction folder, and the time since which cases were routed."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    files: dict[str, str] = Field(min_length=1, max_length=10_000)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The city in force, and where its past cases are; `running` lets one run take place at a time."""

    city: RoutingCity
    jurisdiction: Path
    database: Database
    running: asyncio.Lock = field(default_factory=asyncio.Lock)


class RejectedRun(NamedTuple):
    """Why a run does not start; `findings` name the file, the line and what is wrong in it."""

    status: int
    error: str
    findings: tuple[ReportLine, ...] = ()


class PreparedRun(NamedTuple):
    """A run that can start; `notes` come before its report."""

    comparison: CityComparison
    since: datetime
    notes: tuple[str, ...]


def what_if_routes(what_if: WhatIf, key: str) -> list[Route]:
    """Serve `/sharing/try`, which takes agreements, and `/routing/try`, which takes the files beside them.

    The answer is lines of JSON: `progress`, `asked` and `shared`, and at the end `summary`, or `failed`.
    """

    def serve(path: str, takes: Callable[[str], bool]) -> Route:
        async def run(request: Request, _: Staff) -> Response:
            prepared = await prepare(what_if, _read(await request.body(), takes))
            if isinstance(prepared, RejectedRun):
                told = {"error": prepared.error, **({"findings": prepared.findings} if prepared.findings else {})}
                return reply(told, prepared.status)
            lines = (orjson.dumps(line) + b"\n" async for line in report(what_if, prepared))
            return StreamingResponse(lines, headers=HEADERS)

        return Route(path, require_staff(run, key), methods=["POST"])

    return [serve("/sharing/try", is_agreement), serve("/routing/try", REPLACEABLE.__contains__)]


def is_agreement(name: str) -> bool:
    """Tell whether the name of a file is that of an agreement."""
    return name.startswith(f"{AGREEMENTS}/") and name.endswith(".toml")


async def prepare(what_if: WhatIf, wanted: WhatIfRequest | RejectedRun) -> PreparedRun | RejectedRun:
    """Read the changed files, or say why the run does not start."""
    if isinstance(wanted, RejectedRun):
        return wanted
    if what_if.running.locked():
        return RejectedRun(409, "another what-if run is in progress: try again when it has ended")
    return await asyncio.to_thread(_prepare, wanted, what_if)


async def report(what_if: WhatIf, prepared: PreparedRun) -> AsyncIterator[ReportLine]:
    """Yield the report line by line; if the database becomes unavailable, the last line says so."""
    async with what_if.running:
        for note in prepared.notes:
            yield {"kind": "note", "says": note}
        try:
            async for line in compare_past_cases(what_if.database, prepared.comparison, prepared.since):
                yield line
        except TRANSIENT_ERRORS as error:
            log.warning("what-if run stopped: %s", type(error).__name__)
            yield {"kind": "failed", "error": "the database is unavailable: try again"}


def _read(body: bytes, takes: Callable[[str], bool]) -> WhatIfRequest | RejectedRun:
    try:
        wanted = WhatIfRequest.model_validate_json(body)
    except ValidationError as error:
        return RejectedRun(422, first_error(error, "body"))
    foreign = sorted(name for name in wanted.files if not takes(name))
    return RejectedRun(422, f"files: {foreign[0]} cannot be changed here") if foreign else wanted


def _prepare(wanted: WhatIfRequest, what_if: WhatIf) -> PreparedRun | RejectedRun:
    """Read the files into a city of their own: the caches of the city in force are not touched."""
    city = what_if.city
    try:
        changed = read_changed(what_if.jurisdiction, wanted.files)
    except ChangedFilesError as error:
        findings = tuple({"file": each.file, "line": each.line, "reason": each.reason} for each in error.findings)
        return RejectedRun(422, "the files cannot be used", findings)
    except CityError as error:
        return RejectedRun(409, str(error))
    written = [file.content for file in changed.agreements]
    agreements, moved = start_early(written, city.policy.agreements, wanted.since)
    before = replace(city, policy=city.policy.under(city.policy.agreements))
    after = routing_city(changed.city, agreements, city.policy.keys)
    notes = tuple(f"{each.id} begins on {each.starts}: the run treats it as begun before." for each in moved)
    return PreparedRun(CityComparison(before, after), wanted.since, notes)
