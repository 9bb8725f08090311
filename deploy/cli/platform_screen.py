"""What `handoff up` and `handoff status` put on the screen."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from deploy.local.class_keeping import keep_classes, should_keep_classes
from deploy.local.folders import DataFolder
from deploy.local.inspection import PartReport, database_address
from deploy.local.jars import Progress, ensure_jars, missing_jars
from deploy.local.kafka_runtime import find_runtime
from deploy.local.state import NotRunningError, PlatformState, read_state

_WHAT = {
    "intake": "report and follow a case; Open311",
    "routing": "partner API and console",
    "notifications": "what residents are told, and how",
    "metrics": "response times; traces",
    "mailbox": "every mail that was sent",
}
_MIB = 1024 * 1024
_console = Console(highlight=False)


def say(news: str) -> None:
    """Print one line of news, with the time."""
    _console.print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/dim]", news, soft_wrap=True)


def prepare_kafka() -> None:
    """Fetch Apache Kafka if it is not here, and keep its classes as this Java reads them back fastest."""
    runtime = find_runtime()
    fetch_jars(runtime.jars)
    if should_keep_classes(runtime):
        with _console.status("Preparing Apache Kafka (once, about 20 seconds) ..."):
            keep_classes(runtime)


def fetch_jars(folder: Path) -> None:
    """Fetch the jars that are not here, with a bar that shows how far it is."""
    missing = len(missing_jars(folder))
    if not missing:
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("jars, {task.fields[mib]:.1f} MiB"),
    )
    with Bar(*columns, console=_console) as bar:
        task = bar.add_task("Fetching Apache Kafka (once)", total=missing, mib=0.0)

        def tell(progress: Progress) -> None:
            bar.update(task, completed=progress.fetched, mib=progress.received_bytes / _MIB)

        ensure_jars(folder, tell)


def show_ready(state: PlatformState, *, detached: bool) -> None:
    """Say that everything is ready, where it is, and how to stop it."""
    say("[bold green]Ready.[/bold green]")
    _console.print(_addresses(state))
    _console.print(f"Keys are in {DataFolder(state.data_dir).state}.", soft_wrap=True)
    _console.print("Stop it with `handoff down`." if detached else "Stop it with Ctrl-C.")


def show_who_runs(data_dir: Path) -> None:
    """Say who runs a platform on this folder already."""
    try:
        state = read_state(data_dir)
    except NotRunningError as error:
        _console.print(str(error), markup=False)
        return
    since = state.since.astimezone()
    _console.print(f"A platform runs on {data_dir} already: process {state.pid}, since {since:%Y-%m-%d %H:%M:%S}.")
    _console.print(_addresses(state))
    _console.print("Stop it with `handoff down`, or start another with --data-dir.")


def show_absence(why: str, *, as_json: bool) -> None:
    """Say that nothing runs."""
    _console.print(json.dumps({"running": False}) if as_json else why, markup=False, soft_wrap=True)


def show_status(state: PlatformState, reports: Sequence[PartReport], *, as_json: bool) -> None:
    """Show every part with its health; never a key or a password."""
    if as_json:
        _console.print(json.dumps(_document(state, reports), indent=2), markup=False, soft_wrap=True)
        return
    since = state.since.astimezone()
    _console.print(f"Process {state.pid}, {state.phase}, since {since:%Y-%m-%d %H:%M:%S}, data in {state.data_dir}")
    table = Table("part", "address", "process", "health", box=None, pad_edge=False)
    for report in reports:
        health = "[green]ready[/green]" if report.health.ready else f"[red]{', '.join(report.health.problems)}[/red]"
        again = f" (started again: {report.restarts})" if report.restarts else ""
        letters = f", [yellow]dead letters: {report.health.dead_letters}[/yellow]" if report.health.dead_letters else ""
        table.add_row(report.name, report.address, str(report.pid or ""), health + again + letters)
    _console.print(table)
    if any(report.health.dead_letters for report in reports):
        _console.print("Look at what was set aside with `handoff dead-letters list`.")


def _document(state: PlatformState, reports: Sequence[PartReport]) -> dict[str, object]:
    return {
        "running": True,
        "pid": state.pid,
        "since": state.since.isoformat(),
        "phase": state.phase,
        "data_dir": str(state.data_dir),
        "parts": [asdict(report) for report in reports],
    }


def _addresses(state: PlatformState) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for part in state.parts:
        if part.url is not None:
            table.add_row(part.name, part.url, _WHAT.get(part.name, ""))
    table.add_row("kafka", state.kafka_bootstrap, "")
    table.add_row("postgres", database_address(state), "")
    return table
