"""`handoff import`: imports a 311 file of another city through intake, as fast as intake allows or slower."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from deploy.cli.import_client import IntakeError, RetryPolicy, post_records
from deploy.cli.import_files.readers import READERS, read_records
from deploy.cli.import_files.rows import RowProblem, SourceFile
from deploy.cli.import_files.values import ParsedRow
from deploy.cli.import_report import ImportTally, show
from deploy.cli.options import DataDir
from deploy.errors import PlatformError
from deploy.local.settings import SAMPLE_CITY, default_data_dir
from deploy.local.state import read_state

CHUNK = 200
TIMEOUT = 60.0
STOPPED_BY_HAND = 130


class ImportSource(StrEnum):
    """The kinds of files that can be imported."""

    NYC_311 = "nyc-311"
    CHICAGO_OPEN311 = "chicago-open311"


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """The intake that receives the records: its base URL, an API key, and the jurisdiction's folder."""

    intake: str
    api_key: str
    jurisdiction: Path

    def client(self) -> httpx.Client:
        """Open a client that sends the key."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        # trust_env=False: a proxy from the environment of this machine must not receive the key.
        return httpx.Client(base_url=self.intake, headers=headers, timeout=TIMEOUT, trust_env=False)


class ImportRun:
    """One run over one file, with a progress bar."""

    def __init__(self, source: ImportSource, target: ImportTarget, tally: ImportTally) -> None:
        """Take the settings of the run; `run` opens the file and the connection."""
        self.source, self.target, self.tally = source, target, tally
        self._rate: float | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[status]}"),
            console=Console(stderr=True),
        )

    def run(self, path: Path, rate: float | None) -> None:
        """Import the file, at most `rate` rows per second.

        Raises:
            IntakeError: intake does not accept records.
            OSError: the file cannot be opened.
        """
        self._rate = rate
        with ExitStack() as stack:
            file = stack.enter_context(SourceFile(path))
            client = stack.enter_context(self.target.client())
            stack.enter_context(self._progress)
            bar = self._progress.add_task(path.name, total=file.size, rows=0, status="")
            for chunk in self._chunks(file):
                self._post(client, chunk, bar)
                self._progress.update(bar, completed=file.position, rows=self.tally.rows, status="")

    def _chunks(self, file: SourceFile) -> Iterator[list[ParsedRow]]:
        """Yield the rows in chunks of the size for one request; count those that cannot be parsed."""
        # At a low rate a full chunk would take longer than a second: smaller ones keep the pace even.
        size = CHUNK if self._rate is None else max(1, min(CHUNK, int(self._rate)))
        chunk: list[ParsedRow] = []
        for row in read_records(file, READERS[self.source](self.target.jurisdiction)):
            if isinstance(row, RowProblem):
                self.tally.add_problem(row)
                continue
            chunk.append(row)
            if len(chunk) == size:
                yield chunk
                chunk = []
        yield chunk

    def _post(self, client: httpx.Client, chunk: list[ParsedRow], bar: TaskID) -> None:
        if not chunk:
            return
        began = time.monotonic()
        records = [row.record for row in chunk]
        retry = RetryPolicy(lambda reason: self._progress.update(bar, status=reason))
        answers = post_records(client, self.source, records, retry)
        self.tally.add_answers(chunk, answers)
        if self._rate:
            time.sleep(max(0.0, len(chunk) / self._rate - (time.monotonic() - began)))


def import_command(  # noqa: PLR0913, PLR0917 - a command has as many options as its users need
    source: Annotated[
        ImportSource, typer.Argument(help="The kind of file. CSV and JSON are told apart automatically.")
    ],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file to import.")],
    rate: Annotated[float | None, typer.Option(min=0.1, help="Import at most this many rows per second.")] = None,
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the rows with a reason or a remark to this file, as JSON lines."),
    ] = None,
    data_dir: DataDir = None,
    intake: Annotated[
        str | None, typer.Option(envvar="HANDOFF_INTAKE_URL", help="Base URL of another intake than this machine's.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(envvar="HANDOFF_API_KEY", help="An API key of that intake.")] = None,
) -> None:
    """Import a 311 file of another city.

    The command skips the rows that were imported before, so you can run it again at any time.

    Exit code 1: intake refused a row or was unavailable; 130: stopped with Ctrl-C.
    """
    try:
        target = _find_target(data_dir, intake, api_key)
        with report.open("w", encoding="utf-8") if report else nullcontext() as lines:
            code = run_import(ImportRun(source, target, ImportTally(lines)), file, rate)
    except (PlatformError, OSError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        code = 1
    raise typer.Exit(code)


def _find_target(data_dir: Path | None, intake: str | None, api_key: str | None) -> ImportTarget:
    """Return the intake that the options name, else the one of the platform that runs on this machine."""
    if intake and api_key:
        return ImportTarget(intake, api_key, Path(os.environ.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
    state = read_state(data_dir or default_data_dir())
    return ImportTarget(intake or state.url("intake"), api_key or state.api_key, state.jurisdiction)


def run_import(job: ImportRun, path: Path, rate: float | None) -> int:
    """Run an import, print its result, and return the exit code."""
    console = Console()
    code = 0
    try:
        job.run(path, rate)
    except KeyboardInterrupt:
        console.print("Stopped. Run the same command again to continue.")
        code = STOPPED_BY_HAND
    except IntakeError as error:
        console.print(str(error), style="red", markup=False)
        code = 1
    show(job.tally, console)
    return code or (0 if job.tally.is_complete else 1)
