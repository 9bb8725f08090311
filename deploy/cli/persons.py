"""`handoff person`: everything that is held about the person of one case, and their erasure."""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli.services import NAMES, ServiceError, Services, find_services, find_state
from deploy.local.problems import LocalPlatformError
from shared.kit.kafka.access import KafkaAccess, KafkaAccessError, access_from

FAILED, UNREAD = 1, 3
EVERY, AT_ONCE = 50_000, 5_000
"""After how many records of an inbox its progress is told, and how many are looked through at once."""

person_app = typer.Typer(
    help="Export or erase the person of one case.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Case = Annotated[str, typer.Argument(help="The case id, or the service request id.")]
Out = Annotated[Path | None, typer.Option(help="File to write, for its owner only; else it is printed.")]
Partial = Annotated[bool, typer.Option("--partial", help="If a service does not answer, give the rest, and say so.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DataDir = Annotated[Path | None, typer.Option(help="Data folder of the platform; default .handoff.")]


@person_app.command()
def export(case: Case, out: Out = None, *, partial: Partial = False, data_dir: DataDir = None) -> None:
    """Give as JSON everything that all services hold about the person of a case.

    Exit code 1: a service did not answer. Without --partial nothing is given then.
    """
    try:
        services = find_services(data_dir)
        told = _gather(services, case)
    except (LocalPlatformError, ServiceError) as error:
        raise _fail(str(error)) from error
    for name, why in told["missing"].items():
        _say(f"Not there: {name}. {why}")
    if told["missing"] and not partial:
        raise _fail("Nothing is given, since it would not be everything; --partial gives the rest.")
    _write(json.dumps(told, indent=2, ensure_ascii=False) + "\n", out)
    _warn_of_delays(told)
    if told["missing"]:
        raise typer.Exit(FAILED)


@person_app.command()
def erase(case: Case, *, yes: Yes = False, data_dir: DataDir = None) -> None:
    """Erase the person of a case for good: key, words, address, everything; the case stays as a number that counts.

    Agencies that were given something are told to delete it. What they have read already is removed from their inbox
    topics, together with whatever else they have read before it there.

    Exit code 3: an agency has not read everything yet. Run it again later.
    """
    if not yes and typer.prompt(f"This cannot be undone. Type {case} to erase its person", default="") != case:
        raise _fail("Nothing was erased.")
    try:
        erased = find_services(data_dir).ask("intake", "POST", _person(case) + "/erase", {"confirm": case})
        _say_erased(erased)
        wanted = yes or typer.confirm(
            "Remove what agencies have read of it from their inbox topics, too?", default=True
        )
        unread = wanted and _remove(*_kafka(data_dir), str(erased["case_id"]))
    except (LocalPlatformError, ServiceError, KafkaAccessError) as error:
        raise _fail(str(error)) from error
    if unread:
        raise typer.Exit(UNREAD)


def _gather(services: Services, case: str) -> dict[str, Any]:
    """Ask every service; intake first, since it knows the case by either name."""
    held = {"intake": services.ask("intake", "GET", _person(case))}
    case_id = str(held["intake"]["case"]["case_id"])
    missing: dict[str, str] = {}
    for name in NAMES[1:]:
        try:
            held[name] = services.ask(name, "GET", f"/cases/{case_id}/held")
        except ServiceError as error:
            missing[name] = str(error)
    return {"case_id": case_id, "exported_at": datetime.now(UTC).isoformat(), "missing": missing, "services": held}


def _person(case: str) -> str:
    return f"/api/v1/persons/{quote(case, safe='')}"


def _warn_of_delays(told: dict[str, Any]) -> None:
    entries = told["services"]["intake"]["disclosures"]
    now = datetime.now(UTC)
    late = [each for each in entries if each["shown_from"] and datetime.fromisoformat(each["shown_from"]) > now]
    if late:
        _say(f"{len(late)} disclosures in it may lawfully not be shown to the person yet: see shown_from.")


def _write(text: str, out: Path | None) -> None:
    from deploy.local.secret_files import write_secret  # noqa: PLC0415 - each command loads what it needs

    if out is None:
        typer.echo(text, nl=False)
    else:
        write_secret(out, text)
        _say(f"Written to {out}.")


def _say_erased(erased: dict[str, Any]) -> None:
    before = "had been erased before, " if erased["erased_before"] else "is erased, "
    typer.echo(f"The person of case {erased['case_id']} {before}{erased['erased_at']}.")
    typer.echo(f"Consents that ended with it: {erased['consents_ended']}.")
    typer.echo(f"Agencies that are told: {', '.join(erased['agencies_told']) or 'none'}.")


def _kafka(data_dir: Path | None) -> tuple[KafkaAccess, list[str]]:
    """Find the broker, as its administrator, and the agencies that have a topic."""
    from deploy.kafka.declared import agencies_of  # noqa: PLC0415 - each command loads what it needs
    from deploy.local.settings import SAMPLE_CITY  # noqa: PLC0415

    if data_dir is None and os.environ.get("HANDOFF_KAFKA_BOOTSTRAP"):
        return access_from(os.environ), agencies_of(Path(os.environ.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
    state = find_state(data_dir)
    return state.kafka, agencies_of(state.jurisdiction)


def _remove(access: KafkaAccess, agencies: Sequence[str], case_id: str) -> bool:
    """Remove what has been read, and tell; True when an agency has not read everything."""
    from deploy.kafka.removal import RemovalError, remove_read  # noqa: PLC0415 - slow to import

    try:
        removals = asyncio.run(remove_read(access, case_id, agencies, _progress))
    except RemovalError as error:
        raise ServiceError(f"{error}. The person is erased; run it again to clear the agencies' topics.") from error
    for each in removals:
        typer.echo(f"Inbox of {each.agency}: removed {each.removed} records, {each.unread} not read yet.")
    unread = [each.agency for each in removals if each.unread]
    if unread:
        _say(f"Not read yet by {', '.join(unread)}: run it again later.")
    elif not removals:
        typer.echo("No inbox holds anything of the case.")
    return bool(unread)


def _progress(agency: str, seen: int, of: int) -> None:
    if of and (seen == of or (seen and seen % EVERY < AT_ONCE)):
        typer.echo(f"Inbox of {agency}: looked through {seen} of {of} records.", err=True)


def _say(words: str) -> None:
    typer.secho(words, fg=typer.colors.YELLOW, err=True)


def _fail(words: str) -> typer.Exit:
    typer.secho(words, fg=typer.colors.RED, err=True)
    return typer.Exit(FAILED)
