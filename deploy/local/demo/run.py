"""One run of the demonstration: file, watch until nothing moves any more, and hold the counts against one another."""

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

from deploy.cli.import_report import Tally, show
from deploy.cli.imports import Import, Source, Target
from deploy.local.demo.figures import Check, Figures, checks, is_settled, read_figures
from deploy.local.demo.filing import Filing
from deploy.local.demo.screen import Moment, as_line, live_table
from deploy.local.generate import Form, read_material, reports
from deploy.local.state import PlatformState

LOOK_EVERY = 0.5
LINE_EVERY = 5.0
QUIET, QUIET_FOR_FILE = 40.0, 10.0
"""Seconds without any change after which we stop to wait: what is open then stays open, as much of a real file does."""

LONGEST = 600.0
"""Seconds after which we stop to wait in any case."""

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be filed: made-up cases, or a real file."""

    cases: int
    seed: int
    file: Path | None
    source: Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended."""

    moment: Moment
    checks: list[Check]


class _Shows(Protocol):
    def __call__(self, moment: Moment) -> None: ...


def demonstrate(state: PlatformState, asked: Asked, console: Console) -> Outcome:
    """File what is asked for, and wait until the city has dealt with it.

    Raises:
        IntakeError: intake does not take the file.
    """
    before = asyncio.run(_first_figures(state))
    if asked.file is None:
        forms: Iterable[Form] = islice(reports(read_material(state.jurisdiction), asked.seed), asked.cases)
        return asyncio.run(_file_and_watch(state, forms, Moment(0, asked.cases, before, before), console))
    filed = _import_file(state, asked, console)
    return asyncio.run(_file_and_watch(state, (), Moment(filed, filed, before, before), console))


def _import_file(state: PlatformState, asked: Asked, console: Console) -> int:
    """Take a real file in, and return how many cases it made."""
    tally = Tally()
    target = Target(state.url("intake"), state.api_key, state.jurisdiction)
    Import(asked.source, target, tally).run(asked.file or Path(), rate=None)
    show(tally, console)
    return tally.outcomes["created"]


async def _first_figures(state: PlatformState) -> Figures:
    async with _client() as client:
        while True:
            found = await read_figures(client, state.url("metrics"), state.url("mailbox"), state.staff_key)
            if found is not None:
                return found
            await asyncio.sleep(LOOK_EVERY)


async def _file_and_watch(state: PlatformState, forms: Iterable[Form], start: Moment, console: Console) -> Outcome:
    async with _client() as client:
        filing = Filing(client, state.url("intake"), state.api_key)
        job = asyncio.create_task(filing.file_all(forms))
        with _display(console) as display:
            watch = _Watch(start, QUIET if forms else QUIET_FOR_FILE)
            while not (job.done() and watch.is_over):
                now = await read_figures(client, state.url("metrics"), state.url("mailbox"), state.staff_key)
                display(watch.see(start.filed + filing.filed, now))
                await asyncio.sleep(LOOK_EVERY)
        await job
    return Outcome(watch.moment, [*_own_checks(filing), *watch.checks])


class _Watch:
    """Knows whether anything still moves."""

    def __init__(self, start: Moment, quiet: float) -> None:
        self.moment, self._quiet = start, quiet
        self.checks: list[Check] = []
        self._began = self._changed = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether everything has been dealt with, or nothing has changed for long."""
        moment, now = self.moment, time.monotonic()
        settled = is_settled(moment.before, moment.now, moment.filed) and all(check.holds for check in self.checks)
        answered = moment.now.response("p50") is not None
        return (settled and answered) or now - self._changed > self._quiet or now - self._began > LONGEST

    def see(self, filed: int, now: Figures | None) -> Moment:
        """Take the latest figures, if there are any."""
        if now is not None:
            if _counts(now) != _counts(self.moment.now) or filed != self.moment.filed:
                self._changed = time.monotonic()
            self.moment = Moment(filed, self.moment.wanted, self.moment.before, now)
            self.checks = checks(self.moment.before, now, filed)
        return self.moment


def _counts(figures: Figures) -> tuple[Any, ...]:
    groups = {
        name: value for name, value in figures.reconciliation.items() if name not in {"as_of", "response_seconds"}
    }
    return groups, figures.mailbox


def _own_checks(filing: Filing) -> list[Check]:
    refused = f"; the first: {filing.refused[0]}" if filing.refused else ""
    doubles = filing.filed - len(filing.numbers)
    return [
        Check("every report was taken in", not filing.refused, f"{len(filing.refused)} refused{refused}"),
        Check("every case has a number of its own", doubles == 0, f"{doubles} numbers given twice"),
    ]


@contextmanager
def _display(console: Console) -> Iterator[_Shows]:
    """Give something to show moments with: a live table on a terminal, else a line every few seconds."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda moment: live.update(live_table(moment), refresh=True)
        return
    last = [0.0]

    def show_line(moment: Moment) -> None:
        if time.monotonic() - last[0] > LINE_EVERY:
            console.print(as_line(moment), soft_wrap=True)
            last[0] = time.monotonic()

    yield show_line


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, trust_env=False)
