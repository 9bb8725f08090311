"""What would be different: past cases under changed agreements or another routing book, as lines of JSON."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.routing.domain.placing import City
from services.routing.domain.trying import Trial, as_if_begun
from services.routing.explaining.trials import Line, try_past_cases
from services.routing.http.entrance import Staff, for_staff
from services.routing.http.explanations import first_mistake
from services.routing.http.replies import refuse, reply
from services.routing.jurisdiction import JurisdictionError
from services.routing.jurisdiction.agreements import SUBFOLDER, Finding
from services.routing.jurisdiction.changes import FILES, ChangeError, read_changed
from shared.kit.database import AWAY, Database

log = logging.getLogger(__name__)

HEADERS: Final = {"cache-control": "no-store", "content-type": "application/x-ndjson"}


class Wanted(BaseModel):
    """The changed files, by their names in the jurisdiction's folder, and since when cases are gone through."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    files: dict[str, str] = Field(min_length=1, max_length=10_000)


def trial_routes(city: City, jurisdiction: Path, database: Database, key: str) -> list[Route]:
    """Serve `/sharing/try`, which takes agreements, and `/routing/try`, which takes the files beside them.

    The answer is lines of JSON: `progress`, `asked` and `shared`, and at the end `summary`, or `failed`. One trial
    runs at a time.
    """
    running = asyncio.Lock()

    def serve(path: str, takes: Callable[[str], bool]) -> Route:
        async def run(request: Request, _: Staff) -> Response:
            wanted: Wanted | _Prepared | _Refused = _read(await request.body(), takes)
            if running.locked():
                return refuse(409, "another trial is running: try again when it has ended")
            if isinstance(wanted, Wanted):
                wanted = await asyncio.to_thread(_prepare, wanted, city, jurisdiction)
            if isinstance(wanted, _Refused):
                return wanted.answer
            return StreamingResponse(_lines(database, wanted, running), headers=HEADERS)

        return Route(path, for_staff(run, key), methods=["POST"])

    return [serve("/sharing/try", is_agreement), serve("/routing/try", FILES.__contains__)]


def is_agreement(name: str) -> bool:
    """Tell whether a file is one of agreements."""
    return name.startswith(f"{SUBFOLDER}/") and name.endswith(".toml")


class _Refused(NamedTuple):
    """Why nothing is tried."""

    answer: Response


class _Prepared(NamedTuple):
    """What is tried, and what is said about it first."""

    trial: Trial
    since: datetime
    notes: tuple[str, ...]


def _read(body: bytes, takes: Callable[[str], bool]) -> Wanted | _Refused:
    try:
        wanted = Wanted.model_validate_json(body)
    except ValidationError as error:
        return _Refused(refuse(422, first_mistake(error)))
    strange = sorted(name for name in wanted.files if not takes(name))
    return _Refused(refuse(422, f"files: {strange[0]} is not tried here")) if strange else wanted


def _prepare(wanted: Wanted, city: City, jurisdiction: Path) -> _Prepared | _Refused:
    """Make ready to decide by both; the caches of the city at work are left alone."""
    try:
        changed = read_changed(jurisdiction, wanted.files, city.sharing.keys)
    except ChangeError as error:
        found = {"error": "the files cannot be used", "findings": [_describe(each) for each in error.findings]}
        return _Refused(reply(found, 422))
    except JurisdictionError as error:
        return _Refused(refuse(409, str(error)))
    agreements, moved = as_if_begun(changed.agreements, city.sharing.agreements, wanted.since)
    before = replace(city, sharing=city.sharing.under(city.sharing.agreements))
    after = replace(changed.city, sharing=changed.city.sharing.under(agreements))
    notes = tuple(f"{each.id} begins on {each.starts}: it is tried as if it had begun before." for each in moved)
    return _Prepared(Trial(before, after), wanted.since, notes)


def _describe(finding: Finding) -> Line:
    return {"file": finding.file, "line": finding.line, "reason": finding.reason}


async def _lines(database: Database, prepared: _Prepared, running: asyncio.Lock) -> AsyncIterator[bytes]:
    """Write the report line by line; when the database goes away in the middle, the last line says so."""
    async with running:
        for note in prepared.notes:
            yield _written({"kind": "note", "says": note})
        try:
            async for line in try_past_cases(database, prepared.trial, prepared.since):
                yield _written(line)
        except AWAY as error:
            log.warning("a trial was broken off: %s", type(error).__name__)
            yield _written({"kind": "failed", "error": "nothing can be read at the moment: try again"})


def _written(line: Line) -> bytes:
    return orjson.dumps(line) + b"\n"
