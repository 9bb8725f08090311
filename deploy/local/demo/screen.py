"""What the demonstration shows: a live table while it runs, a summary at the end, and where to look next."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from deploy.local.demo.figures import REFERRALS, Check, Figures

_PAGES = {
    "intake": "Report something, or follow a report",
    "routing": "Triage desk, referrals",
    "metrics": "Response times",
    "mailbox": "Every mail that was sent",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the demonstration is. `wanted` is how many cases there will be; None while nobody knows."""

    filed: int
    wanted: int | None
    before: Figures
    now: Figures

    def gained(self, name: str) -> int:
        """Return how much a count has grown since the demonstration began."""
        return self.now.count(name) - self.before.count(name)


def live_table(moment: Moment) -> Table:
    """Show how far everything is."""
    table = Table(title="Handoff", title_justify="left", show_header=False, min_width=44)
    table.add_column()
    table.add_column(justify="right", min_width=14)
    filed = f"{moment.filed:,}" if moment.wanted is None else f"{moment.filed:,} of {moment.wanted:,}"
    table.add_row("Cases filed", filed)
    table.add_row("  routed", f"{moment.gained('routed'):,}")
    table.add_row("  at the triage desk", f"{moment.gained('triage'):,}")
    for name in REFERRALS:
        table.add_row(f"Referrals {name}", f"{moment.gained(f'referrals.{name}'):,}")
    table.add_row("Mails sent", f"{moment.gained('mails.sent'):,}")
    return table


def as_line(moment: Moment) -> str:
    """Say the same in a line, where there is no terminal to draw on."""
    referrals = ", ".join(f"{moment.gained(f'referrals.{name}')} {name}" for name in REFERRALS)
    return (
        f"filed {moment.filed}, routed {moment.gained('routed')}, at triage {moment.gained('triage')}; "
        f"referrals: {referrals}; mails {moment.gained('mails.sent')}"
    )


def show_summary(console: Console, moment: Moment, found: list[Check], speed: float | None) -> None:
    """Print what was done, and whether the count is right."""
    table = live_table(moment)
    table.title = "Summary"
    table.add_section()
    for quantile in ("p50", "p95"):
        table.add_row(f"Time to the first answer, {quantile}", _seconds(moment.now.response(quantile)))
    console.print(table)
    if speed:
        console.print(f"(The sample agencies work {speed:,.0f} times as fast as real ones would.)", style="dim")
    reconciliation = Table(title="Reconciliation", title_justify="left", show_header=False)
    for check in found:
        mark = "[green]yes[/]" if check.holds else "[bold red]NO[/]"
        reconciliation.add_row(check.what, mark, check.shown)
    console.print(reconciliation)


def show_pages(console: Console, urls: Mapping[str, str]) -> None:
    """Print where to look next."""
    table = Table(title="Pages", title_justify="left", show_header=False)
    for name, what in _PAGES.items():
        if name in urls:
            table.add_row(what, urls[name])
    console.print(table)


_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    found = next(((size, name) for size, name in _UNITS if seconds >= 2 * size), (1, "s"))
    return f"{seconds / found[0]:,.1f} {found[1]}"
