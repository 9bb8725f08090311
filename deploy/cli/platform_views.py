"""What `handoff up` and `handoff status` print, and the preparation of Kafka with its progress bar."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.local.inspection import ComponentReport, database_address
from deploy.local.servers.aot_cache import build_aot_cache, needs_aot_cache
from deploy.local.servers.kafka_jars import DownloadProgress, ensure_jars, missing_jars
from deploy.local.servers.kafka_runtime import find_runtime
from deploy.local.settings import DataFolder
from deploy.local.state import NotRunningError, PlatformState, read_state

_PURPOSES = {
    "intake": "report and follow a case; Open311",
    "routing": "partner API and console",
    "notifications": "messages to residents, and their delivery",
    "metrics": "response times; traces",
    "mailbox": "every mail that was sent",
}
_MIB = 1024 * 1024
_console = Console(highlight=False)


def print_line(text: str) -> None:
    """Print a line with the time."""
    _console.print(f"[dim]{datetime.now().astimezone():%H:%M:%S}[/dim]", text, soft_wrap=True)


def prepare_kafka() -> None:
    """Download Apache Kafka if it is missing, and write its ahead-of-time cache."""
    runtime = find_runtime()
    download_jars(runtime.jars)
    if needs_aot_cache(runtime):
        with _console.status("Preparing Apache Kafka (once, about 20 seconds) ..."):
            build_aot_cache(runtime)


def download_jars(folder: Path) -> None:
    """Download the missing jars, with a progress bar."""
    missing = len(missing_jars(folder))
    if not missing:
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("jars, {task.fields[mib]:.1f} MiB"),
    )
    with Progress(*columns, console=_console) as bar:
        task = bar.add_task("Downloading Apache Kafka (once)", total=missing, mib=0.0)

        def show(progress: DownloadProgress) -> None:
            bar.update(task, completed=progress.completed, mib=progress.received_bytes / _MIB)

        ensure_jars(folder, show)


def show_ready(state: PlatformState, *, detached: bool) -> None:
    """Print that everything is ready, the addresses, the file of the keys, and how to stop the platform."""
    print_line("[bold green]Ready.[/bold green]")
    _console.print(_addresses(state))
    _console.print(f"Keys are in {DataFolder(state.data_dir).state}.", soft_wrap=True)
    _console.print("Stop it with `handoff down`." if detached else "Stop it with Ctrl-C.")


def show_already_running(data_dir: Path) -> None:
    """Print which platform runs on this data folder already."""
    try:
        state = read_state(data_dir)
    except NotRunningError as error:
        _console.print(str(error), markup=False)
        return
    since = state.since.astimezone()
    _console.print(f"A platform already runs on {data_dir}: process {state.pid}, since {since:%Y-%m-%d %H:%M:%S}.")
    _console.print(_addresses(state))
    _console.print("Stop it with `handoff down`, or start another one with --data-dir.")


def show_not_running(reason: str, *, as_json: bool) -> None:
    """Print that no platform runs."""
    _console.print(json.dumps({"running": False}) if as_json else reason, markup=False, soft_wrap=True)


def show_status(state: PlatformState, reports: Sequence[ComponentReport], *, as_json: bool) -> None:
    """Print every component with its health, and never a key or a password."""
    if as_json:
        _console.print(json.dumps(_status_document(state, reports), indent=2), markup=False, soft_wrap=True)
        return
    since = state.since.astimezone()
    _console.print(f"Process {state.pid}, {state.phase}, since {since:%Y-%m-%d %H:%M:%S}, data in {state.data_dir}")
    table = Table("part", "address", "process", "health", box=None, pad_edge=False)
    for report in reports:
        health = "[green]ready[/green]" if report.health.ready else f"[red]{', '.join(report.health.problems)}[/red]"
        restarts = f" (restarts: {report.restarts})" if report.restarts else ""
        letters = f", [yellow]dead letters: {report.health.dead_letters}[/yellow]" if report.health.dead_letters else ""
        table.add_row(report.name, report.address, str(report.pid or ""), health + restarts + letters)
    _console.print(table)
    if any(report.health.dead_letters for report in reports):
        _console.print("List the dead letters with `handoff dead-letters list`.")


def _status_document(state: PlatformState, reports: Sequence[ComponentReport]) -> dict[str, object]:
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
    for component in state.components:
        if component.url is not None:
            table.add_row(component.name, component.url, _PURPOSES.get(component.name, ""))
    table.add_row("kafka", state.kafka_bootstrap, "")
    table.add_row("postgres", database_address(state), "")
    return table
