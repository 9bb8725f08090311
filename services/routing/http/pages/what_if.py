"""The page on which staff try changed agreements, or another routing book, on past cases."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from pathlib import PurePosixPath
from typing import Final

from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.routing.http.api.what_if import Prepared, Refused, Trials, Wanted, prepare, report
from services.routing.http.authentication import Staff, require_staff
from services.routing.http.pages.page import fill, fill_in_parts, snippet
from services.routing.jurisdiction.agreements import SUBFOLDER
from services.routing.jurisdiction.changes import FILES
from services.routing.use_cases.what_if import ReportLine

MOST_FILES: Final = 1000
MOST_SHOWN: Final = 200
"""Differences on the page; further ones are only counted, and the command line lists all of them."""


def trials_page_routes(trials: Trials, key: str, most: int = MOST_SHOWN) -> list[Route]:
    """Serve `/trials`: a form that takes files, and a report that grows while the cases are gone through.

    `most` differences are listed.
    """

    async def show(_request: Request, _: Staff) -> Response:
        return fill("trials")

    async def run(request: Request, _: Staff) -> Response:
        async with request.form(max_files=MOST_FILES, max_fields=4) as form:
            since, files = str(form.get("since", "")), _chosen(form)
            prepared = await prepare(trials, await _read(since, files))
        if isinstance(prepared, Refused):
            return fill("trials", prepared.status, since=since, refused=prepared)
        names = ", ".join(str(each.filename) for each in files)
        return fill_in_parts("trials", _in_words(trials, prepared, most), since=since, names=names, running=True)

    return [
        Route("/trials", require_staff(show, key), methods=["GET"]),
        Route("/trials", require_staff(run, key), methods=["POST"]),
    ]


def _chosen(form: FormData) -> list[UploadFile]:
    """Return the files that were chosen: browsers send a nameless one for a field that was left empty."""
    return [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]


async def _read(since: str, files: list[UploadFile]) -> Wanted | Refused:
    """Read what was sent; a file is an agreement unless it has the name of another file of a jurisdiction's folder."""
    try:
        moment = datetime.combine(date.fromisoformat(since), time(), UTC)
        texts = {_place_of(str(each.filename)): (await each.read()).decode() for each in files}
        return Wanted(since=moment, files=texts)
    except ValidationError:
        return Refused(422, "choose the files to try")
    except UnicodeDecodeError:
        return Refused(422, "a file is not text in UTF-8")
    except ValueError:
        return Refused(422, "say since when cases are to be gone through, as in 2026-03-01")


def _place_of(filename: str) -> str:
    name = PurePosixPath(filename).name
    return name if name in FILES else f"{SUBFOLDER}/{name}"


async def _in_words(trials: Trials, prepared: Prepared, most: int) -> AsyncIterator[str]:
    shown = 0
    async for line in report(trials, prepared):
        shown += _is_difference(line)
        if not _is_difference(line) or shown <= most:
            yield snippet("trial_line", line=line, left_out=max(0, shown - most))


def _is_difference(line: ReportLine) -> bool:
    return line["kind"] in {"asked", "shared"}
