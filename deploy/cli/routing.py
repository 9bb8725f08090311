"""`handoff routing`: why a program was asked for help, and what other routing rules would decide for past cases."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console

from deploy.cli.explanation_views import print_choices
from deploy.cli.options import AsJson, DataDir
from deploy.cli.routing_client import (
    FilesError,
    Limit,
    RoutingClient,
    Since,
    read_files,
    run_what_if,
    run_with_routing,
    start_of_day,
)
from deploy.cli.what_if_views import WhatIfView
from shared.city.reader import REPLACEABLE, RULES

routing_app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Case = Annotated[str | None, typer.Argument(help="The case id, a referral id, or the service request id.")]
Input = Annotated[
    Path | None,
    typer.Option(
        "--input",
        exists=True,
        dir_okay=False,
        help="JSON of an invented report: service_code, needs, and optionally district, urgency, and "
        'consents: [{"recipients": [...], "groups": [...]}].',
    ),
]


@routing_app.callback()
def routing() -> None:
    """Explain the routing rules, and compare them with others."""


@routing_app.command()
def explain(case: Case = None, input: Input = None, *, as_json: AsJson = False, data_dir: DataDir = None) -> None:  # noqa: A002 - the option's name
    """Explain for each need which routing rule applies and why, and why each candidate is asked or passed over."""
    if (case is None) == (input is None):
        raise typer.BadParameter("give either a case or --input FILE")

    def run(client: RoutingClient) -> None:
        path = f"/cases/{quote(case or '', safe='')}/routing"
        answer = client.get(path) if input is None else client.post("/routing/explain", _read(input))
        if as_json:
            Console().print_json(data=answer)
        else:
            print_choices(answer, Console())

    run_with_routing(data_dir, run)


@routing_app.command("try")
def try_command(
    since: Since,
    folder: Annotated[
        Path,
        typer.Option("--with", exists=True, help="A jurisdiction's folder, or one file of routing rules."),
    ],
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what would differ in past cases with other routing rules: the programs asked, and the data disclosed.

    The command changes no case and sends no message. Exit code 2: the files have errors; each is printed with file,
    line and reason.
    """

    def run(client: RoutingClient) -> None:
        body = {"since": start_of_day(since), "files": read_files(folder, _files(folder))}
        run_what_if(client, "/routing/try", body, WhatIfView(Console(), limit, as_json=as_json))

    run_with_routing(data_dir, run)


def _files(folder: Path) -> dict[str, Path]:
    if folder.is_file():
        return {RULES: folder}
    return {name: folder / name for name in REPLACEABLE if (folder / name).exists()}


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FilesError(f"{file} is not JSON: {error}") from None
