"""`handoff case`: what happened to one case, and where its time went."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console

from deploy.cli import case_views
from deploy.local.problems import LocalPlatformError
from deploy.local.settings import default_data_dir
from deploy.local.state import read_state

TIMEOUT = 10.0

case_app = typer.Typer(
    help="Look at one case.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

Case = Annotated[str, typer.Argument(help="The case id, or the service request id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
DataDir = Annotated[Path | None, typer.Option(help="Data folder of the platform; default .handoff.")]


class MetricsError(Exception):
    """Metrics cannot tell; the text says why."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where metrics answers, and the operators' key."""

    url: str
    staff_key: str

    def get(self, path: str) -> dict[str, Any]:
        """Ask for something.

        Raises:
            MetricsError: metrics is away, does not know our key, or does not know the case.
        """
        headers = {"Authorization": f"Bearer {self.staff_key}"}
        try:
            # A proxy of the machine's environment has no business between us and metrics.
            with httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False) as client:
                answer = client.get(path)
        except httpx.TransportError as error:
            raise MetricsError(f"Metrics does not answer at {self.url} ({type(error).__name__}).") from error
        if not answer.is_success:
            raise MetricsError(_complaint(answer))
        found: dict[str, Any] = answer.json()
        return found


def _complaint(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"Metrics answered {answer.status_code}."


@case_app.command()
def show(case: Case, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print in order what happened to a case: each event, who said it, and when."""
    _run(data_dir, f"/cases/{quote(case, safe='')}/journey", case_views.print_journey, as_json=as_json)


@case_app.command()
def trace(case: Case, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print the traces of a case as trees: each step, in which service, when it began and how long it took."""
    _run(data_dir, f"/cases/{quote(case, safe='')}/traces", case_views.print_traces, as_json=as_json)


def _run(data_dir: Path | None, path: str, view: Callable[[dict[str, Any], Console], None], *, as_json: bool) -> None:
    try:
        told = find_metrics(data_dir).get(path)
    except (LocalPlatformError, MetricsError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        Console().print_json(data=told)
    else:
        view(told, Console())


def find_metrics(data_dir: Path | None) -> Metrics:
    """Return the metrics service that HANDOFF_METRICS_URL and HANDOFF_STAFF_KEY name, else the one of this machine."""
    url, key = os.environ.get("HANDOFF_METRICS_URL"), os.environ.get("HANDOFF_STAFF_KEY")
    if url and key:
        return Metrics(url, key)
    state = read_state(data_dir or default_data_dir())
    return Metrics(url or state.url("metrics"), key or state.staff_key)
