"""`handoff person`: the subject access export and the erasure of the person of one case."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli.kafka import find_kafka
from deploy.cli.options import DataDir
from deploy.cli.services import NAMES, ServiceError, StaffAccess, find_services
from deploy.errors import PlatformError
from shared.kit.kafka.access import KafkaAccess, KafkaAccessError

FAILED, UNREAD = 1, 3
PROGRESS_EVERY, BATCH = 50_000, 5_000
"""After how many records of an inbox its progress is printed; how many records `remove_read_records` reads at once."""

person_app = typer.Typer(
    help="Export or erase the person of one case.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Case = Annotated[str, typer.Argument(help="The case id, or the service request id.")]
Out = Annotated[Path | None, typer.Option(help="File to write, readable by its owner only. Default: print it.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="If a service does not answer, export the rest, and name the service.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


@person_app.command()
def export(case: Case, out: Out = None, *, partial: Partial = False, data_dir: DataDir = None) -> None:
    """Export as JSON all data that the services hold about the person of a case (GDPR Art. 15).

    Exit code 1: a service did not answer. Without --partial there is no export then.
    """
    try:
        services = find_services(data_dir)
        document = _collect(services, case)
    except (PlatformError, ServiceError) as error:
        raise _fail(str(error)) from error
    for name, reason in document["missing"].items():
        _warn(f"Missing: {name}. {reason}")
    if document["missing"] and not partial:
        raise _fail("Nothing is exported, since the export would be incomplete; --partial exports the rest.")
    _write(json.dumps(document, indent=2, ensure_ascii=False) + "\n", out)
    _warn_of_embargoes(document)
    if document["missing"]:
        raise typer.Exit(FAILED)


@person_app.command()
def erase(case: Case, *, yes: Yes = False, data_dir: DataDir = None) -> None:
    """Erase the person of a case permanently: their key, and with it all their data. The case stays, without a person.

    Agencies that received data are told to delete them. The command also removes the messages of the case that the
    agencies have read from their inbox topics, together with every message before those.

    Exit code 3: an agency has not read all messages of the case yet. Run the command again later.
    """
    if not yes and typer.prompt(f"This cannot be undone. Type {case} to erase its person", default="") != case:
        raise _fail("Nothing was erased.")
    try:
        erased = find_services(data_dir).request("intake", "POST", _person(case) + "/erase", {"confirm": case})
        _print_erasure(erased)
        wanted = yes or typer.confirm(
            "Also remove the messages that agencies have read from their inbox topics?", default=True
        )
        unread = wanted and _remove(*find_kafka(data_dir), str(erased["case_id"]))
    except (PlatformError, ServiceError, KafkaAccessError) as error:
        raise _fail(str(error)) from error
    if unread:
        raise typer.Exit(UNREAD)


def _collect(services: StaffAccess, case: str) -> dict[str, Any]:
    """Ask every service; intake first, since only intake finds the case by both ids."""
    exports = {"intake": services.request("intake", "GET", _person(case))}
    case_id = str(exports["intake"]["case"]["case_id"])
    missing: dict[str, str] = {}
    for name in NAMES[1:]:
        try:
            exports[name] = services.request(name, "GET", f"/cases/{case_id}/held")
        except ServiceError as error:
            missing[name] = str(error)
    return {"case_id": case_id, "exported_at": datetime.now(UTC).isoformat(), "missing": missing, "services": exports}


def _person(case: str) -> str:
    return f"/api/v1/persons/{quote(case, safe='')}"


def _warn_of_embargoes(document: dict[str, Any]) -> None:
    entries = document["services"]["intake"]["disclosures"]
    now = datetime.now(UTC)
    embargoed = [each for each in entries if each["shown_from"] and datetime.fromisoformat(each["shown_from"]) > now]
    if embargoed:
        count = len(embargoed)
        _warn(f"{count} disclosures in the export are under embargo: do not show them to the person before shown_from.")


def _write(text: str, out: Path | None) -> None:
    from deploy.secret_files import write_secret  # noqa: PLC0415 - each command loads what it needs

    if out is None:
        typer.echo(text, nl=False)
    else:
        write_secret(out, text)
        _warn(f"Written to {out}.")


def _print_erasure(erased: dict[str, Any]) -> None:
    before = "had been erased before, " if erased["erased_before"] else "is erased, "
    typer.echo(f"The person of case {erased['case_id']} {before}{erased['erased_at']}.")
    typer.echo(f"Consents that ended: {erased['consents_ended']}.")
    typer.echo(f"Agencies that are told: {', '.join(erased['agencies_told']) or 'none'}.")


def _remove(access: KafkaAccess, agencies: Sequence[str], case_id: str) -> bool:
    """Remove the messages that agencies have read; return whether an agency has unread ones."""
    from deploy.kafka.inbox_removal import RemovalError, remove_read_records  # noqa: PLC0415 - slow to import

    try:
        removals = asyncio.run(remove_read_records(access, case_id, agencies, _print_progress))
    except RemovalError as error:
        raise ServiceError(
            f"{error}. The person is erased; run the command again to clear the agencies' topics."
        ) from error
    for each in removals:
        typer.echo(f"Inbox of {each.agency}: {each.removed} records removed, {each.unread} not read yet.")
    unread = [each.agency for each in removals if each.unread]
    if unread:
        _warn(f"Not read yet by {', '.join(unread)}: run the command again later.")
    elif not removals:
        typer.echo("No inbox topic has a message of the case.")
    return bool(unread)


def _print_progress(agency: str, read: int, total: int) -> None:
    if total and (read == total or (read and read % PROGRESS_EVERY < BATCH)):
        typer.echo(f"Inbox of {agency}: {read} of {total} records searched.", err=True)


def _warn(text: str) -> None:
    typer.secho(text, fg=typer.colors.YELLOW, err=True)


def _fail(text: str) -> typer.Exit:
    typer.secho(text, fg=typer.colors.RED, err=True)
    return typer.Exit(FAILED)
