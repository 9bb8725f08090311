"""How a case looks in a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.metrics.domain.spans import Span, SpanTree, build_trees

MILLISECOND, SECOND, MINUTE, HOUR, DAY = 0.001, 1.0, 60.0, 3600.0, 86400.0
SHORT_ID = 8


def print_journey(told: dict[str, Any], console: Console) -> None:
    """Print what happened to a case, in order."""
    console.print(_title(told), highlight=False)
    if not told["entries"]:
        console.print("Nothing has been heard of this case but its id.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("when", "after", "who", "what", ""):
        table.add_column(heading, justify="right" if heading == "after" else "left", overflow="fold")
    first = _moment(told["entries"][0])
    for entry in told["entries"]:
        when = _moment(entry)
        after = (when - first).total_seconds()
        table.add_row(
            f"{when.astimezone():%Y-%m-%d %H:%M:%S}",
            _length(after) if after >= 0 else "[red]before[/]",
            escape(_who(entry["source"])),
            escape(entry["type"].removesuffix(".v1")),
            escape(_details(entry["summary"])),
        )
    console.print(table, highlight=False)


def print_traces(told: dict[str, Any], console: Console) -> None:
    """Print the traces of a case as trees, or say why there is none."""
    console.print(_title(told), highlight=False)
    spans = [Span(**span) for span in told["spans"]]
    kept = {span.trace_id for span in spans}
    names = {(span.trace_id, span.span_id): span for span in (*spans, *(Span(**span) for span in told["linked"]))}
    for trace_id in sorted(kept, key=lambda trace: min(s.started_ns for s in spans if s.trace_id == trace)):
        console.print(f"\n[bold]Trace[/] {trace_id}", highlight=False)
        console.print(_tree(build_trees(span for span in spans if span.trace_id == trace_id), names), highlight=False)
    for trace in told["traces"]:
        if trace["trace_id"] not in kept:
            console.print(_why_not(trace), highlight=False)
    if not told["traces"] and not spans:
        console.print("No message of this case carried a trace.")


def _title(told: dict[str, Any]) -> str:
    parts = [f"[bold]Case[/] {told['case_id']}"]
    if told["service_request_id"]:
        parts.append(f"service request {escape(told['service_request_id'])}")
    if told["external_id"]:
        parts.append(f"{escape(told['origin'] or 'elsewhere')} {escape(told['external_id'])}")
    return " · ".join(parts)


def _why_not(trace: dict[str, Any]) -> str:
    if not trace["sampled"]:
        return (
            f"Trace {trace['trace_id']} was not sampled: more traces began in that second than are recorded "
            "(HANDOFF_TRACE_RATE)."
        )
    return (
        f"Trace {trace['trace_id']} was sampled, and no step of it is here. Steps come a second or two after they have "
        "ended. They never come when they go to a collector of your own, and old ones are deleted."
    )


def _tree(trees: Sequence[SpanTree], names: dict[tuple[str, str], Span]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("begins", "takes", "service", "step"):
        table.add_column(heading, justify="right" if heading in {"begins", "takes"} else "left", overflow="fold")
    began = min(tree.span.started_ns for tree in trees)
    for tree in trees:
        for guide, below, span in _lines(tree, "", ""):
            failed = " [red]failed[/]" if span.status == "error" else ""
            begins = _length((span.started_ns - began) / 1e9)
            table.add_row(f"+{begins}", _length(span.seconds), escape(span.service), guide + escape(span.name) + failed)
            for words in _links(span, names):
                table.add_row("", "", "", f"[dim]{below}{escape(words)}[/]")
    return table


def _lines(tree: SpanTree, guide: str, below: str) -> Iterator[tuple[str, str, Span]]:
    """Give each span with the lines that lead to it, and those that lead past it."""
    stem = "│  " if tree.children else "   "
    yield guide, below + stem, tree.span
    for child in tree.children:
        is_last = child is tree.children[-1]
        yield from _lines(child, below + ("└─ " if is_last else "├─ "), below + ("   " if is_last else "│  "))


def _links(span: Span, names: dict[tuple[str, str], Span]) -> Iterator[str]:
    for link in span.links:
        there = names.get((link["trace_id"], link["span_id"]))
        what = _named(there, span.service) if there else "a step that is not here"
        elsewhere = f" (trace {link['trace_id'][:SHORT_ID]}…)" if link["trace_id"] != span.trace_id else ""
        yield f"linked to {what}{elsewhere}"


def _named(span: Span, service: str) -> str:
    return span.name if span.service == service else f"{span.service}: {span.name}"


def _moment(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["occurred_at"])


def _who(source: str) -> str:
    return source.removeprefix("/services/").removeprefix("/agencies/")


def _details(summary: dict[str, Any]) -> str:
    """Say the fields of an event: what speaks for itself without its name, the others with it."""
    told = dict(summary)
    words = [f"{told.pop('agency')}/{told.pop('program')}"] if {"agency", "program"} <= told.keys() else []
    words += [", ".join(told.pop(name)) for name in ("routed", "needs") if told.get(name)]
    words += [str(told.pop(name)) for name in ("need", "service_code", "template", "resolution") if name in told]
    told.pop("service_request_id", None)
    if told.pop("agency_controls", None) is False:
        told["outside the agency's control"] = True
    told = {name: value for name, value in told.items() if value not in ([], 0, False)}
    return " · ".join(
        words + [f"{name.replace('_', ' ')} {value}".replace(" True", "") for name, value in told.items()]
    )


def _length(seconds: float) -> str:
    """Write a length of time so that the figures that matter are seen."""
    if abs(seconds) < SECOND:
        return f"{seconds / MILLISECOND:.1f} ms"
    if abs(seconds) < MINUTE:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if abs(seconds) < HOUR:
        return f"{minutes} min {rest:02} s"
    if abs(seconds) < DAY:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{seconds / DAY:.1f} days"
