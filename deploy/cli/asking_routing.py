"""What commands that ask routing have in common: how they are run, and how files are sent to be tried."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli import trial_views
from deploy.cli.routing_client import RoutingClient, RoutingError, open_routing
from deploy.local.problems import LocalPlatformError

FAILED: Final = 1
REFUSED: Final = 2

DataDir = Annotated[Path | None, typer.Option(help="Data folder of the platform; default .handoff.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Since = Annotated[
    datetime,
    typer.Option(formats=["%Y-%m-%d"], help="Go through the cases that were routed since this day (UTC)."),
]
Limit = Annotated[int, typer.Option(min=0, help="Show so many of the differences at most; the summary has all.")]


class FilesError(Exception):
    """The files cannot be sent; the text says why."""


def ask(data_dir: Path | None, action: Callable[[RoutingClient], None]) -> None:
    """Run something that asks routing; exits with 2 when files were refused, with 1 when anything else went wrong."""
    try:
        with open_routing(data_dir) as routing:
            action(routing)
    except (LocalPlatformError, RoutingError, FilesError, OSError) as error:
        console = Console(stderr=True)
        findings = error.findings if isinstance(error, RoutingError) else []
        for each in findings:
            place = f"{each['file']}:{each['line']}"
            console.print(
                f"{place}: error: {each['reason']}", style="red", markup=False, highlight=False, soft_wrap=True
            )
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED if findings or isinstance(error, FilesError) else FAILED) from None


def read_files(folder: Path, names: Mapping[str, Path]) -> dict[str, str]:
    """Read files to be sent, by the names under which routing knows them.

    Raises:
        FilesError: there are none, or one is no text.
    """
    if not names:
        raise FilesError(f"{folder} has no file that can be tried.")
    try:
        return {name: path.read_text(encoding="utf-8") for name, path in names.items()}
    except UnicodeDecodeError:
        raise FilesError(f"{folder}: a file is not UTF-8.") from None


def try_files(routing: RoutingClient, path: str, said: Mapping[str, Any], view: "trial_views.TrialView") -> None:
    """Send files to be tried, show how far it has come, and what would be different."""
    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        for line in routing.lines(path, said):
            if line["kind"] == "progress":
                bar.update(task, completed=line["done"], total=line["total"])
            if line["kind"] == "failed":
                raise RoutingError(f"Routing broke off: {line['error']}")
            view.take(line)
    if not view.is_complete:
        raise RoutingError("Routing broke off before the end.")
    view.end()


def moment(since: datetime) -> str:
    """Write the first moment of a day."""
    return since.replace(tzinfo=UTC).isoformat()
