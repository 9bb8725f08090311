"""`handoff dead-letters`: what services have set aside, why, and how it gets its effect after all."""

import getpass
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.services import NAMES, ServiceError, Services, find_services
from deploy.local.problems import LocalPlatformError

FAILED: Final = 1
OUTCOMES: Final = {
    "done": "It has taken effect.",
    "known": "It had taken effect before; nothing was done.",
    "dismissed": "It is dismissed.",
}

dead_letters_app = typer.Typer(
    help="Look at messages that services have set aside, and have them worked on again.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_console = Console(highlight=False)

Service = Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.", metavar="SERVICE")]
Number = Annotated[int, typer.Argument(help="The number that `list` shows.", min=1)]
Numbers = Annotated[list[int] | None, typer.Argument(help="The numbers that `list` shows.", min=1)]
Only = Annotated[str | None, typer.Option("--service", help="Of this service only.")]
Settled = Annotated[bool, typer.Option("--settled", help="Also those that are done with.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Content = Annotated[bool, typer.Option("--content", help="Also what the sender wrote. It may be about a person.")]
All = Annotated[bool, typer.Option("--all", help="All that are open, in order.")]
Value = Annotated[Path | None, typer.Option(help="File with a repaired value, for one letter.", dir_okay=False)]
By = Annotated[str | None, typer.Option(help="Who sees to it; your name on this machine if you do not say.")]
DataDir = Annotated[Path | None, typer.Option(help="Data folder of the platform; default .handoff.")]


@dead_letters_app.command("list")
def list_letters(
    service: Only = None, *, settled: Settled = False, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """List what was set aside: where it was read, by whom, and why it could not be worked on."""
    services = _services(data_dir)
    rows: list[tuple[str, dict[str, Any]]] = []
    away: list[str] = []
    for name in NAMES if service is None else (_known(service),):
        try:
            rows += [(name, letter) for letter in _letters(services, name, settled=settled)]
        except ServiceError as error:
            away.append(str(error))
    if as_json:
        typer.echo(json.dumps([{"service": name, **letter} for name, letter in rows], indent=2))
    elif rows:
        _print(rows)
    elif not away:
        typer.echo("Nothing is set aside.")
    if away:
        raise _fail("\n".join(away))


@dead_letters_app.command()
def show(service: Service, number: Number, *, content: Content = False, data_dir: DataDir = None) -> None:
    """Print one of them as JSON: its headers and, if you ask for it, its content."""
    try:
        letter = _services(data_dir).ask(_known(service), "GET", f"/dead-letters/{number}")
    except ServiceError as error:
        raise _fail(str(error)) from error
    if not content:
        hidden = ("value", "repaired")
        letter = {name: said for name, said in letter.items() if name not in hidden}
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
    """Have them worked on again, now that what stood in their way is gone. To do it twice does no harm.

    Only this service hears them; each comes after whatever was heard of its case since. With --value it is given the
    content of a file instead of its own.

    Exit code 1: at least one of them failed again. It lies where it lay, with the reason.
    """
    given = numbers or []
    if bool(given) == every:
        raise _fail("Say which: numbers, or --all.")
    if value is not None and len(given) != 1:
        raise _fail("A repaired value is for one letter: say its number.")
    repaired = {} if value is None else {"value": _text(value)}
    services = _services(data_dir)
    try:
        wanted = [letter["number"] for letter in _letters(services, _known(service), settled=False)] if every else given
    except ServiceError as error:
        raise _fail(str(error)) from error
    _each(services, _known(service), wanted, "redeliver", _body(by) | repaired)


@dead_letters_app.command()
def dismiss(service: Service, numbers: list[int], by: By = None, data_dir: DataDir = None) -> None:
    """Decide that they shall never take effect. They are kept, with who decided it."""
    _each(_services(data_dir), _known(service), numbers, "dismiss", _body(by))


def _each(services: Services, service: str, numbers: Sequence[int], what: str, body: dict[str, str]) -> None:
    failed = 0
    for number in numbers:
        try:
            letter = services.ask(service, "POST", f"/dead-letters/{number}/{what}", body)
            typer.echo(f"{service} {number}: {OUTCOMES[letter['outcome']]}")
        except ServiceError as error:
            failed += 1
            typer.echo(f"{service} {number}: {str(error).removeprefix(service + ': ')}", err=True)
    if not numbers:
        typer.echo("Nothing is set aside.")
    if failed:
        raise typer.Exit(FAILED)


def _letters(services: Services, service: str, *, settled: bool) -> Iterator[dict[str, Any]]:
    """Go through the letters of a service, page by page."""
    after, more = 0, True
    while more:
        page = services.ask(service, "GET", f"/dead-letters?after={after}&settled={str(settled).lower()}")
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


def _services(data_dir: Path | None) -> Services:
    try:
        return find_services(data_dir)
    except LocalPlatformError as error:
        raise _fail(str(error)) from error


def _known(service: str) -> str:
    if service not in NAMES:
        raise _fail(f"There is no service {service}; there are {', '.join(NAMES)}.")
    return service


def _body(by: str | None) -> dict[str, str]:
    try:
        return {"by": by or getpass.getuser()}
    except (KeyError, OSError) as error:
        raise _fail("This machine does not know your name: say it with --by.") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fail(f"{file} cannot be read as text: {error}.") from error


def _fail(why: str) -> typer.Exit:
    typer.echo(why, err=True)
    return typer.Exit(FAILED)
