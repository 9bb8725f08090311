"""How the differences that a what-if run finds look in a terminal."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Line = dict[str, Any]
SHORT_ID = 8


class WhatIfView:
    """Collects the lines of a what-if run as they arrive, and shows them at the end.

    It stores at most `limit` differences, so that a run over a million cases does not fill the memory. With `as_json`
    it prints every line when it arrives.
    """

    def __init__(self, console: Console, limit: int, *, as_json: bool) -> None:
        self._console, self._limit, self._as_json = console, limit, as_json
        self._shown: list[Line] = []
        self._more = 0
        self._summary: Line | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the run has sent its summary, which is its last line."""
        return self._summary is not None

    def add(self, line: Line) -> None:
        """Add one line."""
        if self._as_json:
            self._print_line(line)
        elif line["kind"] == "note":
            self._console.print(line["says"], style="yellow", markup=False, highlight=False)
        elif line["kind"] in {"asked", "shared"} and len(self._shown) < self._limit:
            self._shown.append(line)
        elif line["kind"] in {"asked", "shared"}:
            self._more += 1
        if line["kind"] == "summary":
            self._summary = line

    def finish(self) -> None:
        """Show the differences and the summary."""
        if self._as_json or self._summary is None:
            return
        if self._shown:
            self._console.print(_differences(self._shown), highlight=False)
        if self._more:
            self._console.print(f"and {self._more:,} more differences (--limit, or --json for all)\n", highlight=False)
        for table in _summary_tables(self._summary):
            self._console.print(table, highlight=False)
        self._console.print(_conclusion(self._summary), highlight=False)

    def _print_line(self, line: Line) -> None:
        if line["kind"] != "progress":
            self._console.out(json.dumps(line), highlight=False)


def _differences(lines: list[Line]) -> Table:
    table = _table("case", "need", "what would be different")
    for line in lines:
        table.add_row(escape(line["service_request_id"]), escape(line["need"]), _difference(line))
    return table


def _difference(line: Line) -> str:
    if line["kind"] == "asked":
        before, after = line["before"] or "no program", line["after"] or "no program: a person must choose"
        return f"asked is {escape(after)}, instead of {escape(before)} [dim]({escape(line['why'])})[/]"
    added = [f"[green]+{group}[/] {form}" for form, groups in line["added"].items() for group in groups]
    removed = [f"[red]-{group}[/] {form}" for form, groups in line["removed"].items() for group in groups]
    return f"{escape(line['agency'])}: {', '.join(added + removed)}"


def _summary_tables(summary: Line) -> list[Table]:
    asked = _table("asked before", "asked instead", "needs")
    for each in summary["asked"]:
        asked.add_row(escape(each["before"] or "none"), escape(each["after"] or "none"), f"{each['needs']:,}")
    groups = _table("agency", "group", "form", "added", "removed")
    for each in summary["groups"]:
        added, removed = (f"{each[name]:,}" if each[name] else "" for name in ("added", "removed"))
        groups.add_row(escape(each["agency"]), each["group"], each["form"], added, removed)
    return [table for table in (asked, groups) if table.row_count]


def _conclusion(summary: Line) -> str:
    if not summary["cases"]:
        return "No case was routed since then."
    if not summary["changed"]:
        return f"[green]Nothing would be different in any of {summary['cases']:,} cases.[/]"
    return f"[bold]{summary['changed']:,} of {summary['cases']:,} cases would be different.[/]"


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(
            heading, justify="right" if heading in {"needs", "added", "removed"} else "left", overflow="fold"
        )
    return table
