"""One run of the demonstration: files the cases, waits until the counts settle, and compares them."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import httpx
from rich.console import Console
from rich.live import Live

from deploy.cli.import_report import ImportTally, show
from deploy.cli.imports import ImportRun, ImportSource, ImportTarget
from deploy.local.demo.reconciliation import DemoFigures, ReconciliationCheck, checks, is_settled, read_figures
from deploy.local.demo.report_filer import ReportFiler
from deploy.local.demo.screen import DemoProgress, as_line, live_table
from deploy.local.generate import Form, generate_reports, read_sample_data
from deploy.local.state import PlatformState

POLL_SECONDS = 0.5
LINE_EVERY_SECONDS = 5.0
QUIET_SECONDS, QUIET_SECONDS_FOR_FILE = 40.0, 10.0
"""Seconds without a change after which the run ends. Of a real file many cases stay open, so it ends sooner there."""

LONGEST_SECONDS = 600.0
"""Seconds after which the run ends in any case."""

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to file: a number of invented cases with a seed, or the file of a source."""

    cases: int
    seed: int
    file: Path | None
    source: ImportSource


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The last progress, and the result of each check."""

    progress: DemoProgress
    checks: list[ReconciliationCheck]


class _Display(Protocol):
    def __call__(self, progress: DemoProgress) -> None: ...


def demonstrate(state: PlatformState, options: DemoOptions, console: Console) -> DemoResult:
    """File the cases, wait until the counts settle, and return the result.

    Raises:
        IntakeError: intake does not accept the file.
    """
    before = asyncio.run(_first_figures(state))
    if options.file is None:
        forms: Iterable[Form] = islice(
            generate_reports(read_sample_data(state.jurisdiction), options.seed), options.cases
        )
        return asyncio.run(_file_and_watch(state, forms, DemoProgress(0, options.cases, before, before), console))
    filed = _import_file(state, options, console)
    return asyncio.run(_file_and_watch(state, (), DemoProgress(filed, filed, before, before), console))


def _import_file(state: PlatformState, options: DemoOptions, console: Console) -> int:
    """Import the file, and return how many cases it created."""
    tally = ImportTally()
    target = ImportTarget(state.url("intake"), state.api_key, state.jurisdiction)
    ImportRun(options.source, target, tally).run(options.file or Path(), rate=None)
    show(tally, console)
    return tally.outcomes["created"]


async def _first_figures(state: PlatformState) -> DemoFigures:
    async with _client() as client:
        while True:
            found = await read_figures(client, state.url("metrics"), state.url("mailbox"), state.staff_key)
            if found is not None:
                return found
            await asyncio.sleep(POLL_SECONDS)


async def _file_and_watch(
    state: PlatformState, forms: Iterable[Form], start: DemoProgress, console: Console
) -> DemoResult:
    async with _client() as client:
        filer = ReportFiler(client, state.url("intake"), state.api_key)
        job = asyncio.create_task(filer.file_all(forms))
        with _display(console) as display:
            watch = _Watch(start, QUIET_SECONDS if forms else QUIET_SECONDS_FOR_FILE)
            while not (job.done() and watch.is_over):
                now = await read_figures(client, state.url("metrics"), state.url("mailbox"), state.staff_key)
                display(watch.update(start.filed + filer.filed, now))
                await asyncio.sleep(POLL_SECONDS)
        await job
    return DemoResult(watch.progress, [*_filer_checks(filer), *watch.checks])


class _Watch:
    """The latest figures, their checks, and whether the run is over."""

    def __init__(self, start: DemoProgress, quiet: float) -> None:
        self.progress, self._quiet = start, quiet
        self.checks: list[ReconciliationCheck] = []
        self._began = self._changed = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether all counts have settled, or have not changed for long."""
        progress, now = self.progress, time.monotonic()
        settled = is_settled(progress.before, progress.now, progress.filed) and all(
            check.holds for check in self.checks
        )
        answered = progress.now.response("p50") is not None
        return (settled and answered) or now - self._changed > self._quiet or now - self._began > LONGEST_SECONDS

    def update(self, filed: int, now: DemoFigures | None) -> DemoProgress:
        """Take the latest figures, if there are any, and return the progress."""
        if now is not None:
            if _counts(now) != _counts(self.progress.now) or filed != self.progress.filed:
                self._changed = time.monotonic()
            self.progress = DemoProgress(filed, self.progress.wanted, self.progress.before, now)
            self.checks = checks(self.progress.before, now, filed)
        return self.progress


def _counts(figures: DemoFigures) -> tuple[Any, ...]:
    groups = {
        name: value for name, value in figures.reconciliation.items() if name not in {"as_of", "response_seconds"}
    }
    return groups, figures.mailbox


def _filer_checks(filer: ReportFiler) -> list[ReconciliationCheck]:
    refused = f"; the first: {filer.refused[0]}" if filer.refused else ""
    doubles = filer.filed - len(filer.numbers)
    return [
        ReconciliationCheck(
            "intake accepted every report", not filer.refused, f"{len(filer.refused)} refused{refused}"
        ),
        ReconciliationCheck("every case has its own number", doubles == 0, f"{doubles} numbers given twice"),
    ]


@contextmanager
def _display(console: Console) -> Iterator[_Display]:
    """Provide a display of the progress: a live table on a terminal, else a line every few seconds."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda progress: live.update(live_table(progress), refresh=True)
        return
    last = [0.0]

    def show_line(progress: DemoProgress) -> None:
        if time.monotonic() - last[0] > LINE_EVERY_SECONDS:
            console.print(as_line(progress), soft_wrap=True)
            last[0] = time.monotonic()

    yield show_line


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
