"""`handoff agreements`: checks agreements, explains what they decided about a case, and compares them with others."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.explanation_views import print_sharing
from deploy.cli.options import AsJson, DataDir
from deploy.cli.routing_client import (
    Limit,
    RoutingClient,
    Since,
    read_files,
    run_what_if,
    run_with_routing,
    start_of_day,
)
from deploy.cli.what_if_views import WhatIfView
from deploy.local.settings import SAMPLE_CITY
from shared.city.agreement_files import AgreementFile
from shared.city.reader import AGENCIES, AGREEMENTS, check_agreements
from shared.city.toml_files import CityError, Finding, Severity, has_errors

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}

agreements_app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Folder = Annotated[
    Path | None,
    typer.Argument(exists=True, file_okay=False, help="A jurisdiction's folder, or a folder of agreements."),
]
City = Annotated[
    Path,
    typer.Option(
        envvar="HANDOFF_JURISDICTION",
        exists=True,
        file_okay=False,
        help="The city of a folder of agreements: its agencies, needs, services and districts.",
    ),
]
Partners = Annotated[
    Path | None,
    typer.Option(
        envvar="HANDOFF_PARTNERS_FILE",
        exists=True,
        dir_okay=False,
        help="The file of the agencies' public keys, to find sealed shares for an agency without a key.",
    ),
]
At = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day of the check. Default: today.")]


@agreements_app.callback()
def agreements() -> None:
    """Check and explain data-sharing agreements, and compare them with others."""


@agreements_app.command()
def check(folder: Folder = None, *, at: At = None, city: City = SAMPLE_CITY, partners: Partners = None) -> None:
    """List the agreements, with their errors and warnings by file and line.

    Exit code 1: there is an error.
    """
    jurisdiction, agreement_folder = find_folders(folder, city)
    keys = read_keys(partners) if partners else None
    try:
        reading, findings = check_agreements(jurisdiction, (at or datetime.now(UTC)).date(), agreement_folder, keys)
    except CityError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    _show(reading.files, findings, Console())
    raise typer.Exit(1 if has_errors(findings) else 0)


@agreements_app.command()
def explain(
    case: Annotated[str, typer.Argument(help="A referral id, the case id, or the service request id.")],
    agency: Annotated[
        str | None, typer.Option(help="Explain for this agency only, even if it has no part in the case.")
    ] = None,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Explain what was disclosed to each agency and what was withheld, and which clause, consent or policy decided it.

    The output has the decision of then, and that of now where it differs; with receipts, recalls and refusals.
    """

    def run(client: RoutingClient) -> None:
        answer = client.get(f"/cases/{quote(case, safe='')}/sharing", agency=agency)
        if as_json:
            Console().print_json(data=answer)
        else:
            print_sharing(answer, Console())

    run_with_routing(data_dir, run)


@agreements_app.command("try")
def try_command(
    since: Since,
    folder: Annotated[
        Path,
        typer.Option(
            "--with", exists=True, file_okay=False, help="A jurisdiction's folder, or a folder of agreements."
        ),
    ],
    limit: Limit = 50,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what would differ in past cases if the agreements of a folder replaced the present ones.

    A new or changed agreement applies as if it had started before the cases; consents apply as they were then. The
    command changes no case and sends no message. Exit code 2: the agreements have errors; each is printed with file,
    line and reason.
    """

    def run(client: RoutingClient) -> None:
        _, agreement_folder = find_folders(folder, folder)
        names = {f"{AGREEMENTS}/{path.name}": path for path in sorted(agreement_folder.glob("*.toml"))}
        body = {"since": start_of_day(since), "files": read_files(agreement_folder, names)}
        run_what_if(client, "/sharing/try", body, WhatIfView(Console(), limit, as_json=as_json))

    run_with_routing(data_dir, run)


def find_folders(folder: Path | None, city: Path) -> tuple[Path, Path]:
    """Return the jurisdiction's folder, and the folder of the agreements."""
    if folder is None:
        return city, city / AGREEMENTS
    if (folder / AGENCIES).exists():  # every city has this file, and no folder of agreements has
        return folder, folder / AGREEMENTS
    return (folder.parent if (folder.resolve().parent / AGENCIES).exists() else city), folder


def read_keys(partners: Path) -> frozenset[str]:
    """Return the agencies that have a public key.

    Raises:
        typer.BadParameter: the file is not `{agency: {"public_jwks": [...]}}`.
    """
    try:
        entries = json.loads(partners.read_text(encoding="utf-8"))
        return frozenset(agency for agency, entry in entries.items() if entry.get("public_jwks"))
    except (OSError, ValueError, AttributeError) as error:
        raise typer.BadParameter(f"{partners} cannot be used: {type(error).__name__}") from None


def _show(files: Sequence[AgreementFile], findings: Sequence[Finding], console: Console) -> None:
    for finding in findings:
        console.print(str(finding), style=STYLES[finding.severity], markup=False, highlight=False, soft_wrap=True)
    if files:
        console.print(_table(files), highlight=False)
    found = [(sum(finding.severity is severity for finding in findings), str(severity)) for severity in Severity]
    counts = ", ".join(_count(*each) for each in [(len(files), "agreement"), *found])
    console.print(f"{counts}.", highlight=False)


def _table(files: Sequence[AgreementFile]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("agreement", "version", "status", "until", "review", "gives", "is given"):
        table.add_column(heading, justify="right" if heading == "version" else "left", overflow="fold")
    for each in (file.content for file in files):
        sources = [source for clause in each.share for source in clause.sources]
        recipients = [recipient for clause in each.share for recipient in clause.recipients]
        dates = (_day(each.ends), _day(each.review))
        parts = (each.id, str(each.version), each.status, *dates, _names(sources), _names(recipients))
        table.add_row(*map(escape, parts))
    return table


def _names(parties: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(parties))


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
