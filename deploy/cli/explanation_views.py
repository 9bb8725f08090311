"""How routing's explanations look in a terminal: the choice of programs, and the sharing of a case."""

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Answer = dict[str, Any]
"""An answer of routing, or a part of it, as JSON."""

CANDIDATE_STYLES: Final = {"asked": "green", "next": "", "other-district": "dim", "may-not-know": "red"}


def print_choices(answer: Answer, console: Console) -> None:
    """Print why programs were asked for help in a case, or would be for a report that is not filed."""
    if "case_id" in answer:
        _print_title(answer, console)
    for need in answer["needs"]:
        console.print(f"\n[bold]{escape(need['need'])}[/]", highlight=False)
        _print_referrals(need, console)
        if "now" in need:
            _print_need(need, answer["holders"], console)
        else:
            _print_choice(need, console)


def _print_title(answer: Answer, console: Console) -> None:
    number, service = escape(answer["service_request_id"]), escape(answer["service_code"])
    console.print(f"[bold]Case[/] {answer['case_id']} · service request {number} · {service}", highlight=False)


def _print_referrals(need: Answer, console: Console) -> None:
    for each in need.get("referrals", ()):
        asked = f"{_minute(each['asked_at'])} UTC: {each['program']} was asked by {each['by']}"
        console.print(f"{asked}: {each['why']} (now {each['state']})", markup=False, highlight=False)
    for each in need.get("triage", ()):
        ended = f"; {each['ended_by']} chose {each['assigned_to']}" if each["assigned_to"] else ""
        text = f"{_minute(each['since'])} UTC: to the triage queue: {each['why']}{ended}"
        console.print(text, markup=False, highlight=False)


def _print_need(need: Answer, holders: list[str], console: Console) -> None:
    """Print the choice of then and the choice of now, or only one if they are equal."""
    if need["then"] and need["then"] != need["now"]:
        console.print("[bold]at the time of the report, by the rules of today:[/]", highlight=False)
        _print_choice(need["then"], console)
        held = f", when {escape(', '.join(holders))} may hold data of the case" if holders else ""
        console.print(f"[bold]now{held}:[/]", highlight=False)
    _print_choice(need["now"], console)


def _print_choice(choice: Answer, console: Console) -> None:
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


def _name(candidate: Answer) -> str:
    style, name = CANDIDATE_STYLES[candidate["standing"]], escape(candidate["program"])
    return f"[{style}]{name}[/]" if style else name


def print_sharing(answer: Answer, console: Console) -> None:
    """Print for each agency what was disclosed of a case, what was withheld, and which rule decided."""
    _print_title(answer, console)
    for agency in answer["agencies"]:
        because = escape("; ".join(agency["because"]))
        console.print(f"\n[bold underline]{escape(agency['agency'])}[/] {because}", highlight=False)
        for disclosure in agency["needs"]:
            _print_disclosure(disclosure, console)
        _print_record(agency, console)


def _print_disclosure(disclosure: Answer, console: Console) -> None:
    """Print the decision about one need, as it was then, and as it would be now where that differs."""
    then, now = disclosure["then"], disclosure["now"]
    referral, program, state = disclosure["referral_id"], disclosure["program"], disclosure["state"]
    what = f", referral {referral} to {program}, {state}" if referral else ""
    console.print(f"[bold]{escape(disclosure['need'])}[/]{escape(what)}", highlight=False)
    console.print(f"{_minute(then['at'])} UTC: {then['says']}", markup=False, highlight=False)
    if then["remark"] and then["entitled"] is not None:
        console.print(then["remark"], style="yellow", markup=False, highlight=False)
    if _verdicts(then) != _verdicts(now):
        console.print(f"now: {now['says']}", markup=False, highlight=False)
    console.print(_groups_table(then["groups"] or now["groups"], now["groups"]), highlight=False)


def _groups_table(then: list[Answer], now: list[Answer]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 2))
    for heading in ("group", "", "why"):
        table.add_column(heading, overflow="fold")
    for before, after in zip(then, now, strict=True):
        table.add_row(before["group"], _outcome(before), escape(before["says"]))
        if _verdict(before) != _verdict(after):
            table.add_row("", f"now {_outcome(after)}", escape(after["says"]))
    return table


def _print_record(agency: Answer, console: Console) -> None:
    """Print the receipts, recalls, refusals, emergency accesses and withheld events of one agency."""
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
        what = f"{', '.join(each['groups'])}; {_review(each)}"
        text = f"{_minute(each['opened_at'])} UTC: opened in an emergency by {each['caseworker']}: {what}"
        console.print(text, style="yellow", markup=False, highlight=False)
    for each in agency["withheld_events"]:
        text = f"{_minute(each['withheld_at'])} UTC: {each['type']} withheld: consent revoked"
        console.print(text, style="yellow", markup=False, highlight=False)


def _review(access: Answer) -> str:
    if not access["reviewed_at"]:
        return "not reviewed yet"
    return f"{'justified' if access['justified'] else 'not justified'}, says {access['reviewed_by']}"


def _outcome(group: Answer) -> str:
    if not group["released"]:
        return "[red]withheld[/]"
    return f"[green]{'+'.join(given['form'] for given in group['given'])}[/]"


def _verdict(group: Answer) -> tuple[Any, ...]:
    return group["released"], group["given"], group["withheld_by"]


def _verdicts(decision: Answer) -> list[tuple[Any, ...]]:
    return [_verdict(each) for each in decision["groups"]]


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")
