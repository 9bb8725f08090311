"""`/sharing/try` and `/routing/try`: what-if runs under changed agreements or routing rules, as lines of JSON."""

from collections.abc import Callable
from typing import Final

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.use_cases.what_if import ReportLine
from services.routing.use_cases.what_if_run import RejectedRun, WhatIfRequest, WhatIfRunner
from shared.city.reader import AGREEMENTS, REPLACEABLE
from shared.events.validation import first_error
from shared.kit.http.replies import JsonAnswer, refuse, reply

HEADERS: Final = {"cache-control": "no-store", "content-type": "application/x-ndjson"}


class RejectedRunView(JsonAnswer):
    """Why a run does not start."""

    error: str
    findings: tuple[ReportLine, ...] = ()


def what_if_routes(runner: WhatIfRunner, key: str) -> list[Route]:
    """Serve `/sharing/try`, which takes agreements, and `/routing/try`, which takes the files beside them.

    The answer is lines of JSON: `progress`, `asked` and `shared`, and at the end `summary`, or `failed`.
    """

    def serve(path: str, accepts: Callable[[str], bool]) -> Route:
        async def run(request: Request, _: Staff) -> Response:
            try:
                wanted = WhatIfRequest.model_validate_json(await request.body())
            except ValidationError as error:
                return refuse(422, first_error(error, "body"))
            foreign = sorted(name for name in wanted.files if not accepts(name))
            if foreign:
                return refuse(422, f"files: {foreign[0]} cannot be changed here")
            prepared = await runner.prepare(wanted)
            if isinstance(prepared, RejectedRun):
                return reply(RejectedRunView.model_validate(prepared), status_of(prepared))
            lines = (orjson.dumps(line) + b"\n" async for line in runner.report(prepared))
            return StreamingResponse(lines, headers=HEADERS)

        return Route(path, require_staff(run, key), methods=["POST"])

    return [serve("/sharing/try", _is_agreement), serve("/routing/try", REPLACEABLE.__contains__)]


def status_of(rejected: RejectedRun) -> int:
    """Return the HTTP status for a run that does not start."""
    return 409 if rejected.is_conflict else 422


def _is_agreement(name: str) -> bool:
    return name.startswith(f"{AGREEMENTS}/") and name.endswith(".toml")
