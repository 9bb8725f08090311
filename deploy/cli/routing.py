"""`handoff routing`: why a program was asked, and what another routing book would have made of past cases."""

import json
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.console import Console

from deploy.cli.asking_routing import AsJson, DataDir, FilesError, Limit, Since, ask, moment, read_files, try_files
from deploy.cli.choice_views import print_choices
from deploy.cli.routing_client import RoutingClient
from deploy.cli.trial_views import TrialView

TRIED: Final = ("routing-book.toml", "agencies.toml", "services.toml", "needs.toml", "districts.toml")
"""What is sent to be tried, where it is in the folder."""

routing_app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Case = Annotated[str | None, typer.Argument(help="The case id, a referral id, or the service request id.")]
Input = Annotated[
    Path | None,
    typer.Option(
        "--input",
        exists=True,
        dir_okay=False,
        help="JSON of a report that nobody has filed: service_code, needs, and if you like district, urgency, "
        'consents: [{"recipients": [...], "groups": [...]}].',
    ),
]


@routing_app.callback()
def routing() -> None:
    """Understand the routing book, and try another one."""


@routing_app.command()
def explain(case: Case = None, input: Input = None, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:  # noqa: A002 - the option's name
    """Say for each need which rule of the book counts and why, and why each candidate is asked or passed over."""
    if (case is None) == (input is None):
        raise typer.BadParameter("give a case, or --input FILE")

    def run(client: RoutingClient) -> None:
        path = f"/cases/{quote(case or '', safe='')}/routing"
        told = client.get(path) if input is None else client.post("/routing/explain", _read(input))
        if as_json:
            Console().print_json(data=told)
        else:
            print_choices(told, Console())

    ask(data_dir, run)


@routing_app.command("try")
def try_command(
    since: Since,
    folder: Annotated[
        Path,
        typer.Option("--with", exists=True, help="A jurisdiction's folder as it would be, or only a routing book."),
    ],
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Say who would have been asked, and given what, in past cases with another routing book.

    Nothing is written and nobody is told anything. Exit code 2: the files cannot be used, with file, line and reason.
    """

    def run(client: RoutingClient) -> None:
        said = {"since": moment(since), "files": read_files(folder, _files(folder))}
        try_files(client, "/routing/try", said, TrialView(Console(), limit, as_json=as_json))

    ask(data_dir, run)


def _files(folder: Path) -> dict[str, Path]:
    if folder.is_file():
        return {TRIED[0]: folder}
    return {name: folder / name for name in TRIED if (folder / name).exists()}


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FilesError(f"{file} is not JSON: {error}") from None
