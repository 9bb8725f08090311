"""`handoff dead-letters`: the messages that services have set aside, their redrive, and their dismissal."""

import getpass
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.options import AsJson, DataDir
from deploy.cli.services import NAMES, ServiceError, StaffAccess, find_services
from deploy.errors import PlatformError

FAILED: Final = 1
OUTCOMES: Final = {
    "done": "It has taken effect.",
    "known": "It had taken effect before; nothing changed.",
    "dismissed": "It is dismissed.",
}

dead_letters_app = typer.Typer(
    help="List, redeliver or dismiss the messages that services have set aside.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_console = Console(highlight=False)

Service = Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.", metavar="SERVICE")]
Number = Annotated[int, typer.Argument(help="The number that `list` shows.", min=1)]
Numbers = Annotated[list[int] | None, typer.Argument(help="The numbers that `list` shows.", min=1)]
Chosen = Annotated[list[int], typer.Argument(help="The numbers that `list` shows.")]
Only = Annotated[str | None, typer.Option("--service", help="List those of this service only.")]
Settled = Annotated[bool, typer.Option("--settled", help="Also list those that were redelivered or dismissed.")]
Content = Annotated[
    bool, typer.Option("--content", help="Also print the value of the message. It may hold personal data.")
]
All = Annotated[bool, typer.Option("--all", help="All open ones, in order.")]
Value = Annotated[Path | None, typer.Option(help="File with a repaired value, for one message.", dir_okay=False)]
By = Annotated[str | None, typer.Option(help="Who decides this. Default: your user name on this machine.")]


@dead_letters_app.command("list")
def list_letters(
    service: Only = None, *, settled: Settled = False, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """List the dead letters: service, number, topic, partition and offset, and the error."""
    services = _services(data_dir)
    rows: list[tuple[str, dict[str, Any]]] = []
    errors: list[str] = []
    for name in NAMES if service is None else (_checked(service),):
        try:
            rows += [(name, letter) for letter in _letters(services, name, settled=settled)]
        except ServiceError as error:
            errors.append(str(error))
    if as_json:
        typer.echo(json.dumps([{"service": name, **letter} for name, letter in rows], indent=2))
    elif rows:
        _print(rows)
    elif not errors:
        typer.echo("Nothing is set aside.")
    if errors:
        raise _fail("\n".join(errors))


@dead_letters_app.command()
def show(service: Service, number: Number, *, content: Content = False, data_dir: DataDir = None) -> None:
    """Print one dead letter as JSON: where it was read, its headers, and with --content its value."""
    try:
        letter = _services(data_dir).request(_checked(service), "GET", f"/dead-letters/{number}")
    except ServiceError as error:
        raise _fail(str(error)) from error
    if not content:
        hidden = ("value", "repaired")
        letter = {name: value for name, value in letter.items() if name not in hidden}
    typer.echo(json.dumps(letter, indent=2, ensure_ascii=False))


@dead_letters_app.command()
def redeliver(  # noqa: PLR0913 - each is an option of the command line
    service: Service,
    numbers: Numbers = None,
    *,
    every: All = False,
    value: Value = None,
    by: By = None,
    data_dir: DataDir = None,
) -> None:
    """Deliver dead letters to the service again, after the cause of the error is removed.

    Only this service receives them, after all messages of their cases that it has received since. Redelivering a
    message twice has no effect. With --value the service receives the content of a file instead of the message's own.

    Exit code 1: at least one failed again. It stays in the list, with the new error.
    """
    chosen = numbers or []
    if bool(chosen) == every:
        raise _fail("Give the numbers, or --all.")
    if value is not None and len(chosen) != 1:
        raise _fail("--value is for one message: give its number.")
    repaired = {} if value is None else {"value": _text(value)}
    services = _services(data_dir)
    try:
        wanted = (
            [letter["number"] for letter in _letters(services, _checked(service), settled=False)] if every else chosen
        )
    except ServiceError as error:
        raise _fail(str(error)) from error
    _settle(services, _checked(service), wanted, "redeliver", _body(by) | repaired)


@dead_letters_app.command()
def dismiss(service: Service, numbers: Chosen, by: By = None, data_dir: DataDir = None) -> None:
    """Mark dead letters as never to take effect. They stay on record, with the name of the person who decided it."""
    _settle(_services(data_dir), _checked(service), numbers, "dismiss", _body(by))


def _settle(services: StaffAccess, service: str, numbers: Sequence[int], action: str, body: dict[str, str]) -> None:
    failed = 0
    for number in numbers:
        try:
            letter = services.request(service, "POST", f"/dead-letters/{number}/{action}", body)
            typer.echo(f"{service} {number}: {OUTCOMES[letter['outcome']]}")
        except ServiceError as error:
            failed += 1
            typer.echo(f"{service} {number}: {str(error).removeprefix(service + ': ')}", err=True)
    if not numbers:
        typer.echo("Nothing is set aside.")
    if failed:
        raise typer.Exit(FAILED)


def _letters(services: StaffAccess, service: str, *, settled: bool) -> Iterator[dict[str, Any]]:
    """Yield the dead letters of a service, page by page."""
    after, more = 0, True
    while more:
        page = services.request(service, "GET", f"/dead-letters?after={after}&settled={str(settled).lower()}")
        yield from page["letters"]
        more = page["more"]
        after = page["letters"][-1]["number"] if page["letters"] else after


def _print(rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    for service, letter in rows:
        when = datetime.fromisoformat(letter["set_aside_at"]).astimezone()
        what = (letter["type"] or "no type").removesuffix(".v1")
        where = f"{letter['topic']}, partition {letter['partition']}, offset {letter['offset']}"
        _console.print(
            f"[bold]{service} {letter['number']}[/]  {when:%Y-%m-%d %H:%M:%S}  {escape(what)}  {where}", soft_wrap=True
        )
        tried = "tried once" if letter["tries"] == 1 else f"tried {letter['tries']} times"
        settled = f"; {letter['outcome']} by {letter['settled_by']}" if letter["outcome"] else ""
        _console.print(f"    {escape(letter['reason'])} ({tried}{escape(settled)})", soft_wrap=True)


def _services(data_dir: Path | None) -> StaffAccess:
    try:
        return find_services(data_dir)
    except PlatformError as error:
        raise _fail(str(error)) from error


def _checked(service: str) -> str:
    if service not in NAMES:
        raise _fail(f"Unknown service {service}. The services are {', '.join(NAMES)}.")
    return service


def _body(by: str | None) -> dict[str, str]:
    try:
        return {"by": by or getpass.getuser()}
    except (KeyError, OSError) as error:
        raise _fail("This machine has no user name for you: give your name with --by.") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fail(f"{file} cannot be read as text: {error}.") from error


def _fail(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(FAILED)
