"""`handoff import`: takes another city's 311 file in, through intake, as fast as intake allows or slower."""

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

from deploy.cli.import_client import IntakeError, Waiting, post_records
from deploy.cli.import_files.reading import READERS, read_records
from deploy.cli.import_files.rows import Problem, SourceFile
from deploy.cli.import_files.values import Parsed
from deploy.cli.import_report import Tally, show
from deploy.local.problems import LocalPlatformError
from deploy.local.settings import SAMPLE_CITY, default_data_dir
from deploy.local.state import read_state

CHUNK = 200
TIMEOUT = 60.0
STOPPED_BY_HAND = 130


class Source(StrEnum):
    """The files that can be read."""

    NYC_311 = "nyc-311"
    CHICAGO_OPEN311 = "chicago-open311"


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go: intake's address, the key that it knows, and the jurisdiction's folder."""

    intake: str
    api_key: str
    jurisdiction: Path

    def client(self) -> httpx.Client:
        """Open a connection that carries the key."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        # A proxy of the machine's environment has no business between us and intake.
        return httpx.Client(base_url=self.intake, headers=headers, timeout=TIMEOUT, trust_env=False)


class Import:
    """One run over one file: what has been read, what has become of it, and what the bar shows."""

    def __init__(self, source: Source, target: Target, tally: Tally) -> None:
        """Take what a run needs; nothing is opened yet."""
        self.source, self.target, self.tally = source, target, tally
        self._rate: float | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[news]}"),
            console=Console(stderr=True),
        )

    def run(self, path: Path, rate: float | None) -> None:
        """Take the file in, at most `rate` rows a second.

        Raises:
            IntakeError: intake cannot take anything in.
            OSError: the file cannot be opened.
        """
        self._rate = rate
        with ExitStack() as stack:
            file = stack.enter_context(SourceFile(path))
            client = stack.enter_context(self.target.client())
            stack.enter_context(self._progress)
            bar = self._progress.add_task(path.name, total=file.size, rows=0, news="")
            for chunk in self._chunks(file):
                self._post(client, chunk, bar)
                self._progress.update(bar, completed=file.position, rows=self.tally.rows, news="")

    def _chunks(self, file: SourceFile) -> Iterator[list[Parsed]]:
        """Read until there is enough to post; what cannot be read is counted on the way."""
        size = CHUNK if self._rate is None else max(1, min(CHUNK, int(self._rate)))
        chunk: list[Parsed] = []
        for row in read_records(file, READERS[self.source](self.target.jurisdiction)):
            if isinstance(row, Problem):
                self.tally.add_problem(row)
                continue
            chunk.append(row)
            if len(chunk) == size:
                yield chunk
                chunk = []
        yield chunk

    def _post(self, client: httpx.Client, chunk: list[Parsed], bar: TaskID) -> None:
        if not chunk:
            return
        began = time.monotonic()
        records = [row.record for row in chunk]
        waiting = Waiting(lambda why: self._progress.update(bar, news=why))
        answers = post_records(client, self.source, records, waiting)
        self.tally.add_answers(chunk, answers)
        if self._rate:
            time.sleep(max(0.0, len(chunk) / self._rate - (time.monotonic() - began)))


def import_command(  # noqa: PLR0913, PLR0917 - a command has as many options as its users need
    source: Annotated[Source, typer.Argument(help="Which kind of file it is; CSV and JSON are told apart.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file.")],
    rate: Annotated[float | None, typer.Option(min=0.1, help="Rows a second, at most.")] = None,
    report: Annotated[Path | None, typer.Option(dir_okay=False, help="Write doubtful rows, as JSON lines.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the platform; default .handoff.")] = None,
    intake: Annotated[
        str | None, typer.Option(envvar="HANDOFF_INTAKE_URL", help="Another intake than this machine's.")
    ] = None,
    api_key: Annotated[str | None, typer.Option(envvar="HANDOFF_API_KEY", help="Its key.")] = None,
) -> None:
    """Take in another city's 311 file. Rows that are in already are passed over, so it can be run again at any time."""
    try:
        target = _find_target(data_dir, intake, api_key)
        with report.open("w", encoding="utf-8") if report else nullcontext() as lines:
            code = run_import(Import(source, target, Tally(lines)), file, rate)
    except (LocalPlatformError, OSError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False)
        code = 1
    raise typer.Exit(code)


def _find_target(data_dir: Path | None, intake: str | None, api_key: str | None) -> Target:
    """Return the intake that was named, or else the one that runs on this machine."""
    if intake and api_key:
        return Target(intake, api_key, Path(os.environ.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
    state = read_state(data_dir or default_data_dir())
    return Target(intake or state.url("intake"), api_key or state.api_key, state.jurisdiction)


def run_import(job: Import, path: Path, rate: float | None) -> int:
    """Run an import, print what became of it, and return the exit code."""
    console = Console()
    code = 0
    try:
        job.run(path, rate)
    except KeyboardInterrupt:
        console.print("Stopped. Run the same command again to go on where it stopped.")
        code = STOPPED_BY_HAND
    except IntakeError as error:
        console.print(str(error), style="red", markup=False)
        code = 1
    show(job.tally, console)
    return code or (0 if job.tally.is_whole else 1)
