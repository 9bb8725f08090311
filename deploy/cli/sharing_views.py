"""How the sharing of a case looks in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_sharing(told: dict[str, Any], console: Console) -> None:
    """Print for each agency what it was given of a case, what was withheld, and what decided."""
    number, service = escape(told["service_request_id"]), escape(told["service_code"])
    console.print(f"[bold]Case[/] {told['case_id']} · service request {number} · {service}", highlight=False)
    for agency in told["agencies"]:
        because = escape("; ".join(agency["because"]))
        console.print(f"\n[bold underline]{escape(agency['agency'])}[/] {because}", highlight=False)
        for about in agency["needs"]:
            _print_about(about, console)
        _print_record(agency, console)


def _print_about(about: dict[str, Any], console: Console) -> None:
    then, now = about["then"], about["now"]
    what = f", referral {about['referral_id']} to {about['program']}, {about['state']}" if about["referral_id"] else ""
    console.print(f"[bold]{escape(about['need'])}[/]{escape(what)}", highlight=False)
    console.print(f"{_minute(then['at'])} UTC: {then['says']}", markup=False, highlight=False)
    if then["remark"] and then["entitled"] is not None:
        console.print(then["remark"], style="yellow", markup=False, highlight=False)
    has_changed = _gist(then) != _gist(now)
    if has_changed:
        console.print(f"now: {now['says']}", markup=False, highlight=False)
    console.print(_table(then["groups"] or now["groups"], now["groups"]), highlight=False)


def _table(then: list[dict[str, Any]], now: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 2))
    for heading in ("group", "", "why"):
        table.add_column(heading, overflow="fold")
    for before, after in zip(then, now, strict=True):
        table.add_row(before["group"], _how(before), escape(before["says"]))
        if _decided(before) != _decided(after):
            table.add_row("", f"now {_how(after)}", escape(after["says"]))
    return table


def _print_record(agency: dict[str, Any], console: Console) -> None:
    """Print what is on record: receipts, recalls, refusals, emergencies, events that were not sent."""
    for each in agency["receipts"]:
        what = ", ".join(each["groups"]) or "no field"
        text = f"{_minute(each['given_at'])} UTC: given by {each['channel']}: {what} (receipt {each['receipt_id']})"
        console.print(text, markup=False, highlight=False)
    for each in agency["recalls"]:
        what = ", ".join(each["groups"])
        text = f"{_minute(each['recalled_at'])} UTC: recalled: {what} (consent {each['consent_id']})"
        console.print(text, style="yellow", markup=False, highlight=False)
    for each in agency["refused"]:
        console.print(f"{_minute(each['refused_at'])} UTC: {each['says']}", style="red", markup=False, highlight=False)
    for each in agency["opened_in_emergencies"]:
        what = f"{', '.join(each['groups'])}; {_verdict(each)}"
        text = f"{_minute(each['opened_at'])} UTC: opened in an emergency by {each['caseworker']}: {what}"
        console.print(text, style="yellow", markup=False, highlight=False)
    for each in agency["withheld_events"]:
        text = f"{_minute(each['withheld_at'])} UTC: {each['type']} was not sent: a consent had fallen"
        console.print(text, style="yellow", markup=False, highlight=False)


def _verdict(opened: dict[str, Any]) -> str:
    if not opened["reviewed_at"]:
        return "not reviewed yet"
    return f"{'justified' if opened['justified'] else 'not justified'}, says {opened['reviewed_by']}"


def _how(answer: dict[str, Any]) -> str:
    if not answer["released"]:
        return "[red]withheld[/]"
    return f"[green]{'+'.join(given['form'] for given in answer['given'])}[/]"


def _decided(answer: dict[str, Any]) -> tuple[Any, ...]:
    return answer["released"], answer["given"], answer["withheld_by"]


def _gist(decision: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [_decided(each) for each in decision["groups"]]


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")
