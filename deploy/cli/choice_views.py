"""How the choice of programs looks in a terminal."""

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

STYLES: Final = {"asked": "green", "next": "", "other-district": "dim", "may-not-know": "red"}


def print_choices(told: dict[str, Any], console: Console) -> None:
    """Print why programs were asked for help in a case, or would be for a report that nobody has filed."""
    if "case_id" in told:
        number, service = escape(told["service_request_id"]), escape(told["service_code"])
        console.print(f"[bold]Case[/] {told['case_id']} · service request {number} · {service}", highlight=False)
    for need in told["needs"]:
        console.print(f"\n[bold]{escape(need['need'])}[/]", highlight=False)
        _print_noted(need, console)
        if "now" in need:
            _print_need(need, told["holders"], console)
        else:
            _print_choice(need, console)


def _print_noted(need: dict[str, Any], console: Console) -> None:
    for each in need.get("referrals", ()):
        asked = f"{each['asked_at'][:16].replace('T', ' ')} UTC: {each['program']} was asked by {each['by']}"
        console.print(f"{asked}: {each['why']} (now {each['state']})", markup=False, highlight=False)
    for each in need.get("triage", ()):
        ended = f"; {each['ended_by']} chose {each['assigned_to']}" if each["assigned_to"] else ""
        text = f"{each['since'][:16].replace('T', ' ')} UTC: to the triage desk: {each['why']}{ended}"
        console.print(text, markup=False, highlight=False)


def _print_need(need: dict[str, Any], holders: list[str], console: Console) -> None:
    """Print the choice, once where then and now agree."""
    if need["then"] and need["then"] != need["now"]:
        console.print("[bold]as it was when the case came in, by today's book:[/]", highlight=False)
        _print_choice(need["then"], console)
        held = f", when {escape(', '.join(holders))} may hold something of the case" if holders else ""
        console.print(f"[bold]as it would be now{held}:[/]", highlight=False)
    _print_choice(need["now"], console)


def _print_choice(choice: dict[str, Any], console: Console) -> None:
    console.print(choice["why"], markup=False, highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for look in choice["looks"]:
        table.add_row("looked up", escape(look["why"]))
    for each in choice["candidates"]:
        table.add_row(_name(each), escape(each["why"]))
    if choice["fallback"]:
        table.add_row(f"fallback {_name(choice['fallback'])}", escape(choice["fallback"]["why"]))
    console.print(table, highlight=False)


def _name(candidate: dict[str, Any]) -> str:
    style, name = STYLES[candidate["standing"]], escape(candidate["program"])
    return f"[{style}]{name}[/]" if style else name
