"""What would be different: past cases under changed agreements or another routing book, as lines of JSON."""

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

from services.routing.domain.city import RoutingCity
from services.routing.domain.what_if import CityComparison, start_early
from services.routing.http.authentication import Staff, require_staff
from services.routing.jurisdiction import JurisdictionError
from services.routing.jurisdiction.agreements import SUBFOLDER
from services.routing.jurisdiction.changes import FILES, ChangeError, read_changed
from services.routing.use_cases.what_if import ReportLine, compare_past_cases
from shared.events.validation import first_error
from shared.kit.database.database import TRANSIENT_ERRORS, Database
from shared.kit.http.replies import reply

log = logging.getLogger(__name__)

HEADERS: Final = {"cache-control": "no-store", "content-type": "application/x-ndjson"}


class Wanted(BaseModel):
    """The changed files, by their names in the jurisdiction's folder, and since when cases are gone through."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    files: dict[str, str] = Field(min_length=1, max_length=10_000)


@dataclass(frozen=True, slots=True)
class Trials:
    """What past cases are gone through with; one trial runs at a time."""

    city: RoutingCity
    jurisdiction: Path
    database: Database
    running: asyncio.Lock = field(default_factory=asyncio.Lock)


class Refused(NamedTuple):
    """Why nothing is tried, and what is wrong in which line of which file."""

    status: int
    error: str
    findings: tuple[ReportLine, ...] = ()


class Prepared(NamedTuple):
    """What is tried, and what is said about it first."""

    trial: CityComparison
    since: datetime
    notes: tuple[str, ...]


def trial_routes(trials: Trials, key: str) -> list[Route]:
    """Serve `/sharing/try`, which takes agreements, and `/routing/try`, which takes the files beside them.

    The answer is lines of JSON: `progress`, `asked` and `shared`, and at the end `summary`, or `failed`.
    """

    def serve(path: str, takes: Callable[[str], bool]) -> Route:
        async def run(request: Request, _: Staff) -> Response:
            prepared = await prepare(trials, _read(await request.body(), takes))
            if isinstance(prepared, Refused):
                told = {"error": prepared.error, **({"findings": prepared.findings} if prepared.findings else {})}
                return reply(told, prepared.status)
            lines = (orjson.dumps(line) + b"\n" async for line in report(trials, prepared))
            return StreamingResponse(lines, headers=HEADERS)

        return Route(path, require_staff(run, key), methods=["POST"])

    return [serve("/sharing/try", is_agreement), serve("/routing/try", FILES.__contains__)]


def is_agreement(name: str) -> bool:
    """Tell whether a file is one of agreements."""
    return name.startswith(f"{SUBFOLDER}/") and name.endswith(".toml")


async def prepare(trials: Trials, wanted: Wanted | Refused) -> Prepared | Refused:
    """Make ready to decide by both, or say why that cannot be."""
    if isinstance(wanted, Refused):
        return wanted
    if trials.running.locked():
        return Refused(409, "another trial is running: try again when it has ended")
    return await asyncio.to_thread(_prepare, wanted, trials)


async def report(trials: Trials, prepared: Prepared) -> AsyncIterator[ReportLine]:
    """Report line by line; when the database goes away in the middle, the last line says so."""
    async with trials.running:
        for note in prepared.notes:
            yield {"kind": "note", "says": note}
        try:
            async for line in compare_past_cases(trials.database, prepared.trial, prepared.since):
                yield line
        except TRANSIENT_ERRORS as error:
            log.warning("a trial was broken off: %s", type(error).__name__)
            yield {"kind": "failed", "error": "nothing can be read at the moment: try again"}


def _read(body: bytes, takes: Callable[[str], bool]) -> Wanted | Refused:
    try:
        wanted = Wanted.model_validate_json(body)
    except ValidationError as error:
        return Refused(422, first_error(error, "body"))
    strange = sorted(name for name in wanted.files if not takes(name))
    return Refused(422, f"files: {strange[0]} is not tried here") if strange else wanted


def _prepare(wanted: Wanted, trials: Trials) -> Prepared | Refused:
    """Read the files; the caches of the city at work are left alone."""
    city = trials.city
    try:
        changed = read_changed(trials.jurisdiction, wanted.files, city.policy.keys)
    except ChangeError as error:
        findings = tuple({"file": each.file, "line": each.line, "reason": each.reason} for each in error.findings)
        return Refused(422, "the files cannot be used", findings)
    except JurisdictionError as error:
        return Refused(409, str(error))
    agreements, moved = start_early(changed.agreements, city.policy.agreements, wanted.since)
    before = replace(city, policy=city.policy.under(city.policy.agreements))
    after = replace(changed.city, policy=changed.city.policy.under(agreements))
    notes = tuple(f"{each.id} begins on {each.starts}: it is tried as if it had begun before." for each in moved)
    return Prepared(CityComparison(before, after), wanted.since, notes)
