"""What `handoff agreements` and `handoff routing` share: a client for routing, their options, and what-if runs."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli.services import find_services
from deploy.cli.what_if_views import WhatIfView
from deploy.errors import PlatformError

TIMEOUT: Final = 60.0
FAILED: Final = 1
REJECTED: Final = 2

Since = Annotated[
    datetime,
    typer.Option(formats=["%Y-%m-%d"], help="Run over the cases that were routed on this day (UTC) or later."),
]
Limit = Annotated[int, typer.Option(min=0, help="Show at most this many differences; the summary counts all.")]


class RoutingError(Exception):
    """Routing does not answer, or answers with an error; `findings` lists the errors in files that it was sent."""

    def __init__(self, reason: str, findings: list[dict[str, Any]] | None = None) -> None:
        super().__init__(reason)
        self.findings = findings or []


class FilesError(Exception):
    """The files cannot be sent."""


class RoutingClient:
    """Routing's HTTP interface for staff. Every method raises RoutingError."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: str | None) -> dict[str, Any]:
        """Send a GET; a query parameter that is None is left out."""
        return self._request("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """Send a POST with a JSON body."""
        return self._request("POST", path, json=body)

    def post_for_lines(self, path: str, body: Any) -> Iterator[dict[str, Any]]:
        """Send a POST with a JSON body, and yield the lines of the answer, each a JSON object, as they arrive."""
        try:
            with self._client.stream("POST", path, json=body) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _error_from(answer)
                yield from (json.loads(line) for line in answer.iter_lines() if line)
        except httpx.TransportError as error:
            raise RoutingError(f"Routing does not answer ({type(error).__name__}).") from error

    def _request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise RoutingError(f"Routing does not answer ({type(error).__name__}).") from error
        if not answer.is_success:
            raise _error_from(answer)
        content: dict[str, Any] = answer.json()
        return content


def _error_from(answer: httpx.Response) -> RoutingError:
    try:
        content = answer.json()
        return RoutingError(f"Routing answered {answer.status_code}: {content['error']}", content.get("findings"))
    except (ValueError, KeyError, TypeError):
        return RoutingError(f"Routing answered {answer.status_code}.")


def run_with_routing(data_dir: Path | None, action: Callable[[RoutingClient], None]) -> None:
    """Run an action with a client for routing, and print its error.

    Raises:
        typer.Exit: with 2 if files were rejected, with 1 if anything else failed.
    """
    try:
        with find_services(data_dir, ["routing"]).client("routing", TIMEOUT) as client:
            action(RoutingClient(client))
    except (PlatformError, RoutingError, FilesError, OSError) as error:
        findings = error.findings if isinstance(error, RoutingError) else []
        lines = [f"{each['file']}:{each['line']}: error: {each['reason']}" for each in findings]
        console = Console(stderr=True)
        for line in (*lines, str(error)):
            console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REJECTED if findings or isinstance(error, FilesError) else FAILED) from None


def read_files(folder: Path, paths: Mapping[str, Path]) -> dict[str, str]:
    """Read the files to send; `paths` has them by the name that routing knows them by.

    Raises:
        FilesError: there are none, or one is not UTF-8.
    """
    if not paths:
        raise FilesError(f"{folder} has no file that this command can send.")
    try:
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    except UnicodeDecodeError:
        raise FilesError(f"{folder}: a file is not UTF-8.") from None


def run_what_if(routing: RoutingClient, path: str, body: Mapping[str, Any], view: WhatIfView) -> None:
    """Have routing decide past cases with the files in `body`; show the progress, then the differences.

    Raises:
        RoutingError: the run failed or was interrupted.
    """
    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        for line in routing.post_for_lines(path, body):
            if line["kind"] == "progress":
                bar.update(task, completed=line["done"], total=line["total"])
            if line["kind"] == "failed":
                raise RoutingError(f"The what-if run failed: {line['error']}")
            view.add(line)
    if not view.is_complete:
        raise RoutingError("The what-if run was interrupted before its end.")
    view.finish()


def start_of_day(day: datetime) -> str:
    """Return the first moment of a day (UTC) in ISO 8601."""
    return day.replace(tzinfo=UTC).isoformat()
