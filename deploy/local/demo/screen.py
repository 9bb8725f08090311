"""What the demonstration prints: a live table while it runs, a summary at the end, and the addresses of the pages."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from deploy.local.demo.reconciliation import REFERRALS, DemoFigures, ReconciliationCheck

_PAGES = {
    "intake": "Report something, or follow a report",
    "routing": "Triage queue, referrals",
    "metrics": "Response times",
    "mailbox": "Every mail that was sent",
}


@dataclass(frozen=True, slots=True)
class DemoProgress:
    """The progress of the demonstration; `wanted` is the number of cases to file, None if it is unknown."""

    filed: int
    wanted: int | None
    before: DemoFigures
    now: DemoFigures

    def gained(self, name: str) -> int:
        """Return the growth of a count since the demonstration began."""
        return self.now.count(name) - self.before.count(name)


def live_table(progress: DemoProgress) -> Table:
    """Return the progress as a table."""
    table = Table(title="Handoff", title_justify="left", show_header=False, min_width=44)
    table.add_column()
    table.add_column(justify="right", min_width=14)
    filed = f"{progress.filed:,}" if progress.wanted is None else f"{progress.filed:,} of {progress.wanted:,}"
    table.add_row("Cases filed", filed)
    table.add_row("  routed", f"{progress.gained('routed'):,}")
    table.add_row("  in the triage queue", f"{progress.gained('triage'):,}")
    for name in REFERRALS:
        table.add_row(f"Referrals {name}", f"{progress.gained(f'referrals.{name}'):,}")
    table.add_row("Mails sent", f"{progress.gained('mails.sent'):,}")
    return table


def as_line(progress: DemoProgress) -> str:
    """Return the progress as a line, for output that is not a terminal."""
    referrals = ", ".join(f"{progress.gained(f'referrals.{name}')} {name}" for name in REFERRALS)
    return (
        f"filed {progress.filed}, routed {progress.gained('routed')}, at triage {progress.gained('triage')}; "
        f"referrals: {referrals}; mails {progress.gained('mails.sent')}"
    )


def show_summary(
    console: Console, progress: DemoProgress, found: list[ReconciliationCheck], speed: float | None
) -> None:
    """Print the final counts, and the result of each check."""
    table = live_table(progress)
    table.title = "Summary"
    table.add_section()
    for quantile in ("p50", "p95"):
        table.add_row(f"Time to the first answer, {quantile}", _seconds(progress.now.response(quantile)))
    console.print(table)
    if speed:
        console.print(f"(The sample agencies work {speed:,.0f} times faster than real ones.)", style="dim")
    reconciliation = Table(title="Reconciliation", title_justify="left", show_header=False)
    for check in found:
        mark = "[green]yes[/]" if check.holds else "[bold red]NO[/]"
        reconciliation.add_row(check.sentence, mark, check.numbers)
    console.print(reconciliation)


def show_pages(console: Console, urls: Mapping[str, str]) -> None:
    """Print the addresses of the pages."""
    table = Table(title="Pages", title_justify="left", show_header=False)
    for name, purpose in _PAGES.items():
        if name in urls:
            table.add_row(purpose, urls[name])
    console.print(table)


_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    found = next(((size, name) for size, name in _UNITS if seconds >= 2 * size), (1, "s"))
    return f"{seconds / found[0]:,.1f} {found[1]}"
