"""`/trials`: the page on which staff run what-if runs: they choose changed files and read the report as it grows."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath
from typing import Final

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.api.what_if import status_of
from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import render, render_part, stream
from services.routing.use_cases.what_if import ReportLine
from services.routing.use_cases.what_if_run import PreparedRun, RejectedRun, WhatIfRequest, WhatIfRunner
from shared.city.reader import AGREEMENTS, REPLACEABLE

MOST_FILES: Final = 1000
MOST_SHOWN: Final = 200
"""Differences on the page; the summary counts all, and the command line lists all."""


def what_if_page_routes(runner: WhatIfRunner, key: str, most: int = MOST_SHOWN) -> list[Route]:
    """Serve `/trials`: a form for files, and a report that is streamed; it lists at most `most` differences."""

    async def show(_request: Request, _: Staff) -> Response:
        return render("what_if")

    async def run(request: Request, _: Staff) -> Response:
        async with request.form(max_files=MOST_FILES, max_fields=4) as form:
            since, files = str(form.get("since", "")), _chosen(form)
            wanted = await _read(since, files)
        prepared = wanted if isinstance(wanted, RejectedRun) else await runner.prepare(wanted)
        if isinstance(prepared, RejectedRun):
            return render("what_if", status_of(prepared), since=since, rejected=prepared)
        names = ", ".join(str(each.filename) for each in files)
        return stream("what_if", _render_lines(runner, prepared, most), since=since, names=names, running=True)

    return [
        Route("/trials", require_staff(show, key), methods=["GET"]),
        Route("/trials", require_staff(run, key), methods=["POST"]),
    ]


def _chosen(form: FormData) -> list[UploadFile]:
    """Return the files that were chosen: for an empty field, browsers send a file without a name."""
    return [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]


async def _read(since: str, files: list[UploadFile]) -> WhatIfRequest | RejectedRun:
    """Read the form; a file is an agreement unless it has the name of another file of the jurisdiction folder."""
    try:
        moment = datetime.combine(date.fromisoformat(since), time(), UTC)
        texts = {_place_of(str(each.filename)): (await each.read()).decode() for each in files}
        return WhatIfRequest(since=moment, files=texts)
    except ValidationError:
        return RejectedRun("choose at least one file")
    except UnicodeDecodeError:
        return RejectedRun("a file is not text in UTF-8")
    except ValueError:
        return RejectedRun("since must be a day, such as 2026-03-01")


def _place_of(filename: str) -> str:
    name = PurePosixPath(filename).name
    return name if name in REPLACEABLE else f"{AGREEMENTS}/{name}"


async def _render_lines(runner: WhatIfRunner, prepared: PreparedRun, most: int) -> AsyncIterator[str]:
    shown = 0
    async for line in runner.report(prepared):
        shown += _is_difference(line)
        if not _is_difference(line) or shown <= most:
            yield render_part("what_if_line", line=line, left_out=max(0, shown - most))


def _is_difference(line: ReportLine) -> bool:
    return line["kind"] in {"asked", "shared"}
