"""`handoff ledger`: verifies that no receipt of a disclosure was changed, deleted, inserted or moved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli.ledger_checks import LedgerReport, TrustAnchors, check, verify
from deploy.cli.ledger_client import LedgerClient, LedgerError, ShownReceipt, open_ledger
from deploy.cli.options import AsJson, DataDir
from deploy.errors import PlatformError
from shared.policy.checkpoint import NoteError, Verifier, open_checkpoint, read_verifier

WRONG: Final = 1
UNREADABLE: Final = 3
SHOWN_PROBLEMS: Final = 100

ledger_app = typer.Typer(
    help="Verify the ledger of disclosures.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="A key that you trust, as `handoff ledger key` prints it. Default: the present one."),
]
Since = Annotated[
    list[Path] | None,
    typer.Option("--since-checkpoint", exists=True, dir_okay=False, help="File with an earlier checkpoint."),
]


@ledger_app.command("verify")
def verify_command(
    since_checkpoint: Since = None, key: Keys = None, *, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """Compute the whole ledger's tree again, and compare it with the stored tree and the signed checkpoints.

    Exit code 0: the ledger is as it was written; 1: it is not; 3: it cannot be read.
    """

    def run(ledger: LedgerClient) -> bool:
        earlier = {str(path): path.read_text(encoding="utf-8") for path in since_checkpoint or ()}
        report = _verify(ledger, TrustAnchors(_trusted(ledger, key), earlier))
        if as_json:
            Console().print_json(data={field: getattr(report, field) for field in report.__slots__})
        else:
            _print(report, len(earlier))
        return not report.problems

    _run(data_dir, run)


@ledger_app.command("receipt")
def receipt_command(
    receipt_id: Annotated[str, typer.Argument(help="The receipt's id.")],
    key: Keys = None,
    *,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Print a receipt, and prove that it is in the ledger; if no checkpoint covers it yet, have one signed.

    Exit code 1: the receipt is not proven; 3: the ledger cannot be read.
    """

    def run(ledger: LedgerClient) -> bool:
        shown = ledger.receipt(receipt_id)
        if shown.place is not None and shown.checkpoint is None:
            ledger.sign()
            shown = ledger.receipt(receipt_id)
        trusted = _trusted(ledger, key)
        problem = check(shown, trusted)
        _print_receipt(shown, problem, trusted, as_json=as_json)
        return problem is None

    _run(data_dir, run)


@ledger_app.command("checkpoint")
def checkpoint_command(
    now: Annotated[bool, typer.Option("--now", help="Have the ledger signed as it is now.")] = False,  # noqa: FBT002 - a flag
    data_dir: DataDir = None,
) -> None:
    """Print the latest checkpoint. Store it: `verify --since-checkpoint FILE` compares the ledger with it later."""

    def run(ledger: LedgerClient) -> bool:
        typer.echo(ledger.sign() if now else ledger.checkpoint(), nl=False)
        return True

    _run(data_dir, run)


@ledger_app.command("key")
def key_command(data_dir: DataDir = None) -> None:
    """Print the public key of the checkpoints' signatures."""

    def run(ledger: LedgerClient) -> bool:
        typer.echo(str(ledger.key()))
        return True

    _run(data_dir, run)


def _run(data_dir: Path | None, action: Callable[[LedgerClient], bool]) -> None:
    try:
        with open_ledger(data_dir) as ledger:
            is_proven = action(ledger)
    except (PlatformError, LedgerError, NoteError, OSError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(UNREADABLE) from None
    if not is_proven:
        raise typer.Exit(WRONG)


def _trusted(ledger: LedgerClient, keys: list[str] | None) -> list[Verifier]:
    return [read_verifier(text) for text in keys] if keys else [ledger.key()]


def _verify(ledger: LedgerClient, trust: TrustAnchors) -> LedgerReport:
    columns = (TextColumn("receipts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        return verify(ledger, trust, lambda done, total: bar.update(task, completed=done, total=total))


def _print(report: LedgerReport, earlier: int) -> None:
    console = Console(highlight=False)
    for problem in report.problems[:SHOWN_PROBLEMS]:
        console.print(problem, style="red", markup=False)
    if len(report.problems) > SHOWN_PROBLEMS:
        console.print(f"and {len(report.problems) - SHOWN_PROBLEMS:,} more", style="red")
    scope = f"{report.receipts:,} receipts, {report.checkpoints:,} checkpoints"
    scope += f" and {earlier} of yours" if earlier else ""
    if report.problems:
        console.print(f"{scope}: the ledger differs from what was written.", style="bold red")
    else:
        console.print(f"{scope}: nothing was changed, deleted, inserted or moved.", style="green")
    if report.waiting:
        console.print(f"{report.waiting:,} more receipts wait for their places; verify again to include them.")


def _print_receipt(shown: ShownReceipt, problem: str | None, keys: list[Verifier], *, as_json: bool) -> None:
    size = open_checkpoint(shown.checkpoint, keys).tree.size if shown.checkpoint and problem is None else None
    if as_json:
        proven = {"receipt": dict(shown.facts), "place": shown.place, "proven_at_size": size, "problem": problem}
        Console().print_json(data=proven)
        return
    console = Console(highlight=False)
    for name, value in shown.facts.items():
        console.print(f"{name:12} {value if isinstance(value, str) else json.dumps(value)}", markup=False)
    if problem:
        console.print(f"Not proven: {problem}.", style="red", markup=False)
    else:
        console.print(f"Proven: place {shown.place:,} of the {size:,} signed receipts.", style="green")
